#include "acme/crypto/certificate.hpp"

#include "tests/support/test_ca.hpp"

#include <gmock/gmock.h>

namespace crypto {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::HasSubstr;

class CertificateTest : public testing::Test {
 protected:
  std::string refusal(std::string const& pem) const {
    auto const checked = check_issued(pem, key, names, now);
    EXPECT_FALSE(checked);
    EXPECT_EQ(checked.error().code, errc::bad_certificate);
    return checked.error().detail;
  }

  Time const now = wall_now();
  Key const key = Key::generate().value();
  test::TestCa const ca;
  std::vector<std::string> const names{"a.example.org", "*.a.example.org"};
};

TEST_F(CertificateTest, AGoodChainIsAcceptedAndDescribed) {
  test::Leaf leaf{names};
  auto const checked = check_issued(ca.chain(key.handle(), leaf), key, names, now);
  ASSERT_TRUE(checked) << checked.error().what();
  EXPECT_THAT(checked->names, ElementsAre("*.a.example.org", "a.example.org"));
  EXPECT_EQ(checked->chain_length, 2U);
  EXPECT_EQ(checked->fingerprint.size(), 64U);
  EXPECT_EQ(std::chrono::floor<std::chrono::seconds>(leaf.not_after), checked->not_after);
}

// The example of RFC 9773 section 4.1: the serial's first bit is set, so that DER puts a zero before it.
TEST_F(CertificateTest, TheIdentifierForRenewalIsTheRfcsExample) {
  std::string const issuer_key = "\x69\x88\x5B\x6B\x87\x46\x40\x41\xE1\xB3\x7B\x84\x7B\xA0\xAE\x2C\xDE\x01\xC8\xD4";
  std::unique_ptr<X509, void (*)(X509*)> const made(X509_new(), X509_free);
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(made.get()), 0x87654321U);
  ASN1_TIME_set(X509_getm_notBefore(made.get()), 0);
  ASN1_TIME_set(X509_getm_notAfter(made.get()), 4000000000);
  X509_set_pubkey(made.get(), key.handle());
  std::unique_ptr<AUTHORITY_KEYID, void (*)(AUTHORITY_KEYID*)> const keyid(AUTHORITY_KEYID_new(), AUTHORITY_KEYID_free);
  keyid->keyid = ASN1_OCTET_STRING_new();
  ASN1_OCTET_STRING_set(keyid->keyid, reinterpret_cast<unsigned char const*>(issuer_key.data()), 20);
  X509_add1_ext_i2d(made.get(), NID_authority_key_identifier, keyid.get(), 0, X509V3_ADD_DEFAULT);
  X509_sign(made.get(), key.handle(), EVP_sha256());
  std::unique_ptr<BIO, int (*)(BIO*)> const bio(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_X509(bio.get(), made.get());
  char* data = nullptr;
  auto const size = BIO_get_mem_data(bio.get(), &data);
  auto const read = read_chain({data, static_cast<std::size_t>(size)});
  ASSERT_TRUE(read) << read.error().what();
  EXPECT_EQ(read->ari_id, "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
}

TEST_F(CertificateTest, TheTopmostIssuerAndTheIdentifierAreRead) {
  auto const read = read_chain(ca.chain(key.handle(), {names}));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->top_issuer, "Test CA");
  EXPECT_NE(read->ari_id.find('.'), std::string::npos);
}

TEST_F(CertificateTest, ALeafAloneIsAccepted) {
  EXPECT_TRUE(check_issued(ca.leaf(key.handle(), {names}), key, names, now));
}

TEST_F(CertificateTest, AnotherKeyIsRefused) {
  EXPECT_THAT(refusal(ca.chain(Key::generate()->handle(), {names})), HasSubstr("another key"));
}

TEST_F(CertificateTest, EveryOtherSetOfNamesIsRefused) {
  using Names = std::vector<std::string>;
  for (Names const& other : {Names{"a.example.org"}, Names{"a.example.org", "*.a.example.org", "b.example.org"},
                             Names{"a.example.org", "*.b.example.org"}, Names{}}) {
    EXPECT_THAT(refusal(ca.chain(key.handle(), {other})), HasSubstr("names"));
  }
}

TEST_F(CertificateTest, TheTimeWindowMustHoldNow) {
  EXPECT_THAT(refusal(ca.chain(key.handle(), {names, now - hours(48), now - hours(1)})), HasSubstr("not valid now"));
  EXPECT_THAT(refusal(ca.chain(key.handle(), {names, now + hours(2), now + hours(48)})), HasSubstr("not valid now"));
  EXPECT_TRUE(
      check_issued(ca.chain(key.handle(), {names, now + std::chrono::minutes(30), now + hours(48)}), key, names, now));
}

TEST_F(CertificateTest, ACertificateOfACaIsRefused) {
  test::Leaf leaf{names};
  leaf.is_ca = true;
  EXPECT_THAT(refusal(ca.chain(key.handle(), leaf)), HasSubstr("CA"));
}

TEST_F(CertificateTest, AChainThatDoesNotLinkIsRefused) {
  test::TestCa const other("Test CA");  // the same name, another key
  EXPECT_THAT(refusal(ca.leaf(key.handle(), {names}) + other.certificate()), HasSubstr("not signed by the next"));
  test::TestCa const stranger("Stranger");
  EXPECT_THAT(refusal(ca.leaf(key.handle(), {names}) + stranger.certificate()), HasSubstr("not signed by the next"));
}

TEST_F(CertificateTest, DamagedAndEndlessTextsAreRefused) {
  std::string const good = ca.chain(key.handle(), {names});
  refusal("");
  refusal("<html>busy</html>");
  refusal(good.substr(0, good.size() / 3));
  std::string flipped = good;
  flipped[good.size() / 4] = '!';
  refusal(flipped);
  EXPECT_THAT(refusal(good + std::string(300U << 10U, '\n')), HasSubstr("256 KiB"));
  std::string many = good;
  for (int i = 0; i < 10; ++i) {
    many += ca.certificate();
  }
  EXPECT_THAT(refusal(many), HasSubstr("more than 10"));
}

}  // namespace
}  // namespace crypto
