#include "acme/crypto/key.hpp"

#include "acme/crypto/csr.hpp"
#include "acme/crypto/encoding.hpp"
#include "acme/crypto/jws.hpp"

#include <gmock/gmock.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <boost/json.hpp>

namespace crypto {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A fixed key; what is expected of it was computed with another implementation.
constexpr char const* fixed_key = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff
H1136cspYG6+0iY7X5fCE9+E9LKhRANCAAQ9bVAfgYygHpQVjeGeS68eKLIdX/ds
Vv0EC07WsB5JXYL4ChwzQGtvbASRU0fPCKSHjLxUEVBYjOqSgSyP0X3X
-----END PRIVATE KEY-----
)";
constexpr char const* fixed_jwk = R"({"crv":"P-256","kty":"EC","x":"PW1QH4GMoB6UFY3hnkuvHiiyHV_3bFb9BAtO1rAeSV0",)"
                                  R"("y":"gvgKHDNAa29sBJFTR88IpIeMvFQRUFiM6pKBLI_Rfdc"})";
// A key whose x coordinate begins with a zero octet.
constexpr char const* zero_key = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAAAAAAAAAAAAAAAA
AAAAAAAAAAAAAAAAAAAAAAAAAXuhRANCAAQAVUOJSvPQDtfXQKvb11yWsGh3t4fb
X3Dup4uQqNfACrtMhaPY6invqvokQGkS3YTVsU3DK/ZW72xr1YpdlD+S
-----END PRIVATE KEY-----
)";
constexpr char const* p384_key = R"(-----BEGIN PRIVATE KEY-----
MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDCnvPV5BhSC/GtgMqpD
T7eZOwXiyPhQrQWYVmoDylGVGUxDQrsYysi/mlgacM+3HzGhZANiAAQRnBYYsz6T
bhoihqQUv2bwR5h5cVj9Nq/3aE069ghBxNqo4h9+buAOxnK52O8G+t+yMlXV4QG5
L1Nw3NXXkBxmmQPFwIsWxUoR+kPetkNmEvu2nMChTWpj2djZXd3Hv2s=
-----END PRIVATE KEY-----
)";

// Whether `raw` (r || s) is a signature of `octets` by `key`, judged by OpenSSL.
bool verifies(Key const& key, std::string const& octets, std::string const& raw) {
  if (raw.size() != 64) {
    return false;
  }
  auto const* const data = reinterpret_cast<unsigned char const*>(raw.data());
  ECDSA_SIG* const signature = ECDSA_SIG_new();
  ECDSA_SIG_set0(signature, BN_bin2bn(data, 32, nullptr), BN_bin2bn(data + 32, 32, nullptr));
  unsigned char* der = nullptr;
  int const size = i2d_ECDSA_SIG(signature, &der);
  ECDSA_SIG_free(signature);
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key.handle());
  int const result = EVP_DigestVerify(context, der, static_cast<std::size_t>(size),
                                      reinterpret_cast<unsigned char const*>(octets.data()), octets.size());
  EVP_MD_CTX_free(context);
  OPENSSL_free(der);
  return result == 1;
}

TEST(Encoding, Base64UrlHasNoPaddingAndTheUrlAlphabet) {
  EXPECT_EQ(base64url(""), "");
  EXPECT_EQ(base64url("f"), "Zg");
  EXPECT_EQ(base64url("fo"), "Zm8");
  EXPECT_EQ(base64url("foo"), "Zm9v");
  EXPECT_EQ(base64url("\xfb\xff\xfe"), "-__-");
}

TEST(Encoding, DecodingTakesBackWhatEncodingGaveAndNothingElse) {
  for (std::size_t size = 0; size < 70; ++size) {
    std::string octets;
    for (std::size_t i = 0; i < size; ++i) {
      octets += static_cast<char>(i * 37 + size);
    }
    EXPECT_EQ(from_base64url(base64url(octets)), octets);
  }
  for (char const* const bad : {"Z", "Zg==", "Zg=", "Zm9v ", "Zm+v", "Zm/v", "Zh", "Zm9"}) {
    EXPECT_FALSE(from_base64url(bad).has_value()) << bad;
  }
}

TEST(Key, JwkAndThumbprintFollowRfc7638) {
  Key const key = Key::from_pem(fixed_key).value();
  EXPECT_EQ(key.jwk(), fixed_jwk);
  EXPECT_EQ(key.thumbprint(), "1cOKsbxizakCeypbrX0aN3xB7oWT4ZBtY5OaOWgEGDE");
}

TEST(Key, CoordinatesKeepTheirLeadingZeros) {
  EXPECT_THAT(Key::from_pem(zero_key)->jwk(), HasSubstr(R"("x":"AFVDiUrz0A7X10Cr29dclrBod7eH219w7qeLkKjXwAo")"));
}

TEST(Key, SignaturesAreRawAndAlways64Octets) {
  Key const key = Key::from_pem(fixed_key).value();
  // Among 300 signatures about two have an r or s that begins with a zero octet.
  for (int i = 0; i < 300; ++i) {
    std::string const text = "message " + std::to_string(i);
    auto const signature = key.sign(text);
    ASSERT_TRUE(signature);
    ASSERT_TRUE(verifies(key, text, *signature));
    ASSERT_FALSE(verifies(key, text + "!", *signature));
  }
}

TEST(Key, PemComesBackAsTheSameKey) {
  Key const key = Key::generate().value();
  auto const again = Key::from_pem(key.pem());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->jwk(), key.jwk());
  EXPECT_NE(Key::generate()->jwk(), key.jwk());
}

TEST(Key, CertificatesMayHaveOtherKinds) {
  for (KeyType const type : {KeyType::p256, KeyType::p384, KeyType::rsa2048, KeyType::rsa4096}) {
    Key const key = Key::generate(type).value();
    EXPECT_EQ(key.type(), type);
    EXPECT_EQ(key_type_of(name(type)), type);
    auto const again = Key::certificate_key_from_pem(key.pem());
    ASSERT_TRUE(again) << name(type);
    EXPECT_EQ(again->type(), type);
    EXPECT_EQ(Key::from_pem(key.pem()).has_value(), type == KeyType::p256) << "an account's key is on P-256";
    EXPECT_TRUE(make_csr(key, {"a.example"})) << name(type);
  }
  EXPECT_FALSE(key_type_of("p521"));
  EXPECT_EQ(
      Key::certificate_key_from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").error().code,
      errc::bad_key);
}

TEST(Key, RefusesWhatIsNotAP256Key) {
  EXPECT_EQ(Key::from_pem(p384_key).error().code, errc::bad_key);
  EXPECT_EQ(Key::from_pem("").error().code, errc::bad_key);
  EXPECT_EQ(Key::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").error().code,
            errc::bad_key);
  EXPECT_EQ(Key::from_pem(std::string(20000, 'x')).error().code, errc::bad_key);
  std::string truncated(fixed_key);
  truncated.resize(truncated.size() / 2);
  EXPECT_EQ(Key::from_pem(truncated).error().code, errc::bad_key);
}

boost::json::object part(boost::json::object const& jws, char const* name) {
  return boost::json::parse(*from_base64url(jws.at(name).as_string())).as_object();
}

TEST(Jws, CarriesTheKeyOnlyWhenThereIsNoAccountYet) {
  Key const key = Key::from_pem(fixed_key).value();
  auto const first = sign_jws(key, {"https://ca.example/new", "nonce-1", ""}, R"({"a":1})");
  ASSERT_TRUE(first);
  auto const jws = boost::json::parse(*first).as_object();
  auto const header = part(jws, "protected");
  EXPECT_EQ(header.at("alg").as_string(), "ES256");
  EXPECT_EQ(header.at("nonce").as_string(), "nonce-1");
  EXPECT_EQ(header.at("url").as_string(), "https://ca.example/new");
  EXPECT_EQ(header.at("jwk"), boost::json::parse(fixed_jwk));
  EXPECT_FALSE(header.contains("kid"));
  EXPECT_EQ(part(jws, "payload").at("a").as_int64(), 1);
  std::string const input =
      std::string(jws.at("protected").as_string()) + "." + std::string(jws.at("payload").as_string());
  EXPECT_TRUE(verifies(key, input, *from_base64url(jws.at("signature").as_string())));

  auto const second =
      boost::json::parse(*sign_jws(key, {"https://ca.example/o", "n", "https://ca.example/acct/1"}, "{}"));
  EXPECT_EQ(part(second.as_object(), "protected").at("kid").as_string(), "https://ca.example/acct/1");
  EXPECT_FALSE(part(second.as_object(), "protected").contains("jwk"));
}

TEST(Jws, PostAsGetHasAnEmptyPayload) {
  Key const key = Key::from_pem(fixed_key).value();
  auto const jws = boost::json::parse(*sign_jws(key, {"u", "n", "k"}, ""));
  EXPECT_EQ(jws.at("payload").as_string(), "");
}

TEST(Jws, BindsAnExternalAccountWithoutNonce) {
  Key const key = Key::from_pem(fixed_key).value();
  // The same secret in the alphabets and with the padding that CAs print.
  for (char const* const secret : {"c2VjcmV0LXNlY3JldC1zZWNyZXQ", "c2VjcmV0LXNlY3JldC1zZWNyZXQ="}) {
    auto const binding = bind_external_account({"kid-1", secret}, "https://ca.example/new-account", key);
    ASSERT_TRUE(binding);
    auto const jws = boost::json::parse(*binding).as_object();
    EXPECT_EQ(*from_base64url(jws.at("protected").as_string()),
              R"({"alg":"HS256","kid":"kid-1","url":"https://ca.example/new-account"})");
    EXPECT_EQ(*from_base64url(jws.at("payload").as_string()), fixed_jwk);
    EXPECT_EQ(jws.at("signature").as_string(), "uxKdFxbkY_7aipGUFQuve270RQPbSI2toLOIangGB1Y");
  }
  EXPECT_EQ(bind_external_account({"k", "no base64!"}, "u", key).error().code, errc::bad_key);
  EXPECT_EQ(bind_external_account({"k", ""}, "u", key).error().code, errc::bad_key);
}

TEST(Jws, Dns01ValueIsTheDigestOfTokenAndThumbprint) {
  Key const key = Key::from_pem(fixed_key).value();
  std::string const token = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA";
  EXPECT_EQ(dns01_value(token, key.thumbprint()), "D75R8HTqnFfhTJ-hdRuD-vC-Ucf727cbWevOEfNO5k4");
}

std::vector<std::string> names_in(std::string const& csr, std::string& subject) {
  auto const* cursor = reinterpret_cast<unsigned char const*>(csr.data());
  X509_REQ* const request = d2i_X509_REQ(nullptr, &cursor, static_cast<long>(csr.size()));
  EXPECT_NE(request, nullptr);
  EXPECT_EQ(X509_REQ_verify(request, X509_REQ_get0_pubkey(request)), 1);
  subject = std::to_string(X509_NAME_entry_count(X509_REQ_get_subject_name(request)));
  STACK_OF(X509_EXTENSION)* const extensions = X509_REQ_get_extensions(request);
  auto* const list = static_cast<GENERAL_NAMES*>(X509V3_get_d2i(extensions, NID_subject_alt_name, nullptr, nullptr));
  std::vector<std::string> names;
  for (int i = 0; i < sk_GENERAL_NAME_num(list); ++i) {
    auto const* const text = sk_GENERAL_NAME_value(list, i)->d.dNSName;
    names.emplace_back(reinterpret_cast<char const*>(ASN1_STRING_get0_data(text)),
                       static_cast<std::size_t>(ASN1_STRING_length(text)));
  }
  GENERAL_NAMES_free(list);
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  X509_REQ_free(request);
  return names;
}

TEST(Csr, HasTheNamesAsAlternativeNamesAndNoSubject) {
  Key const key = Key::from_pem(fixed_key).value();
  auto const csr = make_csr(key, {"*.acme-tv.stream.example", "acme-tv.stream.example"});
  ASSERT_TRUE(csr);
  std::string subject;
  EXPECT_THAT(names_in(*csr, subject), ElementsAre("*.acme-tv.stream.example", "acme-tv.stream.example"));
  EXPECT_EQ(subject, "0");
}

TEST(Csr, RefusesNamesNoCaTakes) {
  Key const key = Key::from_pem(fixed_key).value();
  for (char const* const bad :
       {"", "localhost", "UPPER.example", "trailing.example.", "a..example", "*.*.example", "a.*.example", "-a.example",
        "a-.example", "b\xc3\xbc.example", "a b.example", "*", "*.", "*.example"}) {
    EXPECT_EQ(make_csr(key, {bad}).error().code, errc::bad_name) << bad;
  }
  EXPECT_EQ(make_csr(key, {}).error().code, errc::bad_name);
  EXPECT_EQ(make_csr(key, std::vector<std::string>(101, "a.example")).error().code, errc::bad_name);
  EXPECT_EQ(make_csr(key, {std::string(64, 'a') + ".example"}).error().code, errc::bad_name);
  EXPECT_TRUE(make_csr(key, {std::string(63, 'a') + ".example", "xn--bcher-kva.example", "_acme.example"}));
}

}  // namespace
}  // namespace crypto
