#include "acme/upload/upload.hpp"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <memory>

namespace upload {
namespace {

constexpr std::size_t chain_octets_max = 256U << 10U;
constexpr std::size_t key_octets_max = 16U << 10U;
constexpr std::size_t chain_max = 10;
constexpr std::size_t names_max = 100;
constexpr int rsa_bits_min = 2048;
constexpr int rsa_bits_max = 8192;
constexpr std::chrono::hours life_left_min{24};
constexpr std::chrono::minutes clock_difference{5};

struct Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Certificate = std::unique_ptr<X509, Free>;
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Bio = std::unique_ptr<BIO, Free>;

class Findings {
 public:
  void add(char const* field, std::string message, std::string hint) {
    problems_.push_back({{"request body", 0, 0}, field, std::move(message), std::move(hint)});
  }
  [[nodiscard]] base::Problems const& problems() const { return problems_; }

 private:
  base::Problems problems_;
};

// No passphrase is ever asked for on a terminal.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*context*/) {
  return -1;
}

bool contains(std::string const& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::size_t count_of(std::string const& text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

std::vector<Certificate> read_certificates(std::string const& pem, Findings& findings) {
  constexpr char const* field = "chain_pem";
  std::vector<Certificate> chain;
  if (pem.size() > chain_octets_max) {
    findings.add(field, "is larger than 256 KiB", "the leaf and what it was signed by, nothing else");
    return chain;
  }
  if (contains(pem, "PRIVATE KEY-----")) {
    findings.add(field, "holds a private key", "the key goes into key_pem alone");
    return chain;
  }
  std::size_t const begun = count_of(pem, "-----BEGIN ");
  if (begun > chain_max) {
    findings.add(field, "has more than 10 certificates", "the leaf and what it was signed by, nothing else");
    return chain;
  }
  Bio const bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  while (Certificate one{PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)}) {
    chain.push_back(std::move(one));
  }
  ERR_clear_error();
  if (chain.empty()) {
    findings.add(field, "holds no certificate", "PEM, beginning with -----BEGIN CERTIFICATE-----");
  } else if (chain.size() != begun) {
    findings.add(field, "is damaged after certificate " + std::to_string(chain.size()), "upload the whole file again");
    chain.clear();
  }
  return chain;
}

Key read_key(std::string const& pem, Findings& findings) {
  constexpr char const* field = "key_pem";
  if (pem.size() > key_octets_max) {
    findings.add(field, "is larger than 16 KiB", "one private key, as PEM");
    return nullptr;
  }
  if (contains(pem, "BEGIN ENCRYPTED PRIVATE KEY") || contains(pem, "Proc-Type: 4,ENCRYPTED")) {
    findings.add(field, "is encrypted", "take its passphrase away first: openssl pkey -in key.pem -out plain.pem");
    return nullptr;
  }
  if (count_of(pem, "PRIVATE KEY-----") > 2) {
    findings.add(field, "holds more than one key", "the key of the leaf alone");
    return nullptr;
  }
  Bio const bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  if (key == nullptr) {
    findings.add(field, "holds no private key", "PEM, beginning with -----BEGIN PRIVATE KEY-----");
  }
  return key;
}

// Empty, or what is too weak or of a kind that browsers do not take.
std::string weakness_of(EVP_PKEY const* key) {
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
    int const bits = EVP_PKEY_get_bits(key);
    if (bits < rsa_bits_min || bits > rsa_bits_max) {
      return "an RSA key of " + std::to_string(bits) + " bits";
    }
    return {};
  }
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
    std::array<char, 64> group{};
    std::size_t size = 0;
    EVP_PKEY_get_group_name(key, group.data(), group.size(), &size);
    int const curve = OBJ_txt2nid(group.data());
    return curve == NID_X9_62_prime256v1 || curve == NID_secp384r1
               ? std::string()
               : "an EC key of the curve '" + std::string(group.data(), size) + "'";
  }
  char const* const kind = OBJ_nid2sn(EVP_PKEY_get_base_id(key));
  return std::string("a key of the kind '") + (kind == nullptr ? "unknown" : kind) + "'";
}

void check_strength(std::vector<Certificate> const& chain, Findings& findings) {
  for (std::size_t i = 0; i < chain.size(); ++i) {
    std::string const which = i == 0 ? "the leaf" : "certificate " + std::to_string(i + 1) + " of the chain";
    EVP_PKEY const* const key = X509_get0_pubkey(chain[i].get());
    std::string const weak = key == nullptr ? "no readable key" : weakness_of(key);
    if (!weak.empty()) {
      findings.add("chain_pem", which + " has " + weak, "RSA of 2048 to 8192 bits, P-256 or P-384");
    }
    int digest = NID_undef;
    X509_get_signature_info(chain[i].get(), &digest, nullptr, nullptr, nullptr);
    // Nobody looks at how a root signed itself.
    bool const root = X509_check_issued(chain[i].get(), chain[i].get()) == X509_V_OK;
    if (!root && (digest == NID_sha1 || digest == NID_md5 || digest == NID_md5_sha1)) {
      findings.add("chain_pem", which + " is signed with " + OBJ_nid2sn(digest), "ask its CA for one with SHA-256");
    }
  }
  ERR_clear_error();
}

bool signs(X509* issuer, X509* certificate) {
  return X509_check_issued(issuer, certificate) == X509_V_OK && X509_verify(certificate, X509_get0_pubkey(issuer)) == 1;
}

std::string issuer_of(X509* certificate) {
  Bio const bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), X509_get_issuer_name(certificate), 0, XN_FLAG_RFC2253);
  char* text = nullptr;
  long const size = BIO_get_mem_data(bio.get(), &text);
  constexpr std::size_t most = 200;
  return std::string(text, std::min(static_cast<std::size_t>(size), most));
}

// What signed certificate `at` does not come after it: it is somewhere else, or nowhere.
void tell_order(std::vector<Certificate> const& chain, std::size_t at, Findings& findings) {
  std::string const which = at == 0 ? "the leaf" : "certificate " + std::to_string(at + 1) + " of the chain";
  bool const elsewhere = std::ranges::any_of(
      chain, [&](Certificate const& one) { return one != chain[at] && signs(one.get(), chain[at].get()); });
  if (elsewhere) {
    findings.add("chain_pem", which + " is not signed by the one after it, but by another one of the chain",
                 "the leaf comes first, then what signed it, and so on");
  } else {
    findings.add("chain_pem", "the certificate that signed " + which + " is missing",
                 "put the certificate of '" + issuer_of(chain[at].get()) + "' right after it");
  }
}

void check_order(std::vector<Certificate> const& chain, Findings& findings) {
  X509* const leaf = chain.front().get();
  bool const alone = chain.size() == 1 || X509_check_ca(leaf) == 0;
  if (alone && X509_check_issued(leaf, leaf) == X509_V_OK) {
    findings.add("chain_pem", "the certificate is signed by itself, which no client trusts",
                 "one that a CA signed, followed by the CA's intermediate");
    return;
  }
  if (X509_check_ca(leaf) != 0) {
    findings.add("chain_pem", "the first certificate is a CA's",
                 "the leaf comes first, then what signed it, and so on");
    return;
  }
  if ((X509_get_extended_key_usage(leaf) & XKU_SSL_SERVER) == 0) {
    findings.add("chain_pem", "the leaf is not for servers (extended key usage)", "ask its CA for one with serverAuth");
  }
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
    if (!signs(chain[i + 1].get(), chain[i].get())) {
      tell_order(chain, i, findings);
      break;
    }
  }
  if (chain.size() == 1) {
    // Clients that have not seen the intermediate elsewhere could not verify it.
    tell_order(chain, 0, findings);
  }
  ERR_clear_error();
}

void check_window(crypto::Certificate const& certificate, Time now, Findings& findings) {
  if (certificate.not_before > now + clock_difference) {
    findings.add("chain_pem", "the certificate is not valid yet", "upload it when it is");
  }
  if (certificate.not_after <= now) {
    findings.add("chain_pem", "the certificate has expired", "upload its successor");
  } else if (certificate.not_after < now + life_left_min) {
    findings.add("chain_pem", "the certificate ends in less than a day", "upload its successor");
  }
}

std::string parent_of(std::string const& name) {
  auto const dot = name.find('.');
  return dot == std::string::npos ? std::string() : name.substr(dot + 1);
}

// RFC 6125: a wildcard stands for one label.
bool covers(std::vector<std::string> const& names, std::string const& wanted) {
  return std::ranges::any_of(names, [&wanted](std::string const& name) {
    return name == wanted ||
           (name.starts_with("*.") && !wanted.starts_with("*.") && name.substr(2) == parent_of(wanted));
  });
}

void check_names(crypto::Certificate const& certificate, Ground const& ground, Findings& findings) {
  if (certificate.names.size() > names_max) {
    findings.add("chain_pem", "the certificate has more than 100 names", "one for your own names alone");
    return;
  }
  for (std::string const& wanted : ground.names) {
    if (!covers(certificate.names, wanted)) {
      findings.add("chain_pem", "the certificate does not name '" + wanted + "'",
                   "its subject alternative names must have it, or a wildcard for it");
    }
  }
  for (std::string const& name : certificate.names) {
    std::string const plain = name.starts_with("*.") ? name.substr(2) : name;
    if (!ground.owned.contains(plain)) {
      findings.add("chain_pem", "the certificate names '" + name.substr(0, 260) + "', which is none of your domains",
                   "claim and verify '" + plain.substr(0, 260) + "' first, or leave it out of the certificate");
    }
  }
}

std::string written(std::vector<Certificate> const& chain, EVP_PKEY const* key) {
  Bio const bio(BIO_new(BIO_s_secmem()));
  for (Certificate const& one : chain) {
    ASSERT(PEM_write_bio_X509(bio.get(), one.get()) == 1);
  }
  if (key != nullptr) {
    ASSERT(PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  }
  char* text = nullptr;
  long const size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace

boost::system::result<Checked, base::Problems> look_through(Upload const& upload, Ground const& ground) {
  Findings findings;
  std::vector<Certificate> const chain = read_certificates(upload.chain_pem, findings);
  Key const key = read_key(upload.key_pem, findings);
  std::string const chain_pem = written(chain, nullptr);
  crypto::Certificate certificate;
  if (!chain.empty()) {
    check_order(chain, findings);
    check_strength(chain, findings);
    if (auto described = crypto::read_chain(chain_pem)) {
      certificate = std::move(*described);
      check_window(certificate, ground.now, findings);
      check_names(certificate, ground, findings);
    } else {
      findings.add("chain_pem", described.error().detail, "ask its CA for another one");
    }
  }
  if (!chain.empty() && key != nullptr && X509_check_private_key(chain.front().get(), key.get()) != 1) {
    ERR_clear_error();
    findings.add("key_pem", "does not fit the leaf certificate", "the key that the certificate was requested with");
  }
  if (!findings.problems().empty()) {
    return findings.problems();
  }
  return Checked{std::move(certificate), chain_pem, written({}, key.get())};
}

}  // namespace upload
