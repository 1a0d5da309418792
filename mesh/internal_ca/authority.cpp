#include "mesh/internal_ca/authority.hpp"

#include "base/process/service.hpp"
#include "mesh/internal_ca/certificate.hpp"

#include <openssl/x509v3.h>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace internal_ca {

namespace {

bool exists(std::string const& file) {
  std::error_code ignored;
  return std::filesystem::exists(file, ignored);
}

constexpr std::size_t pem_size_limit = 65536;

base::Failure not_together(std::string const& a, std::string const& b) {
  return base::fail(errc::bad_state, a + " and " + b + " do not belong together");
}

bool belongs(std::string const& key_pem, X509* certificate) {
  auto const key = parse_key(key_pem);
  return key && X509_check_private_key(certificate, key->get()) == 1;
}

// A root of the time when nothing but leaves came from roots. It is written anew for the same key, so that a
// certificate to issue with may come from it: whoever has the old one believes all that it believed.
bool for_leaves_alone(X509* root) {
  return X509_get_pathlen(root) == 0;
}

}  // namespace

AuthorityFiles::AuthorityFiles(std::string const& directory)
    : root_key(directory + "/ca.key"),
      root(directory + "/ca.crt"),
      issuing(directory + "/issuing.pem"),
      request_key(directory + "/issuing.request.key") {}

std::int64_t alarm_before_s(Validity const& validity) {
  constexpr std::int64_t most_s = 182LL * 24 * 3600;
  return std::min((validity.until_s - validity.from_s) / 3, most_s);
}

base::Result<std::string> make_root(std::string const& key_pem, std::int64_t now_s, std::int64_t lifetime_s) {
  auto key = parse_key(key_pem);
  if (!key) {
    return key.error();
  }
  return make_certificate({"Sovereign internal root",
                           nullptr,
                           key->get(),
                           key->get(),
                           {now_s - clock_skew_s, now_s + lifetime_s},
                           {{NID_basic_constraints, "critical,CA:TRUE,pathlen:1"},
                            {NID_key_usage, "critical,keyCertSign,cRLSign"},
                            {NID_subject_key_identifier, "hash"}}});
}

base::Result<Authority> Authority::open_root(AuthorityFiles const& files, std::int64_t now_s) {
  bool const has_key = exists(files.root_key);
  if (!has_key && exists(files.root)) {
    return base::fail(errc::bad_state, files.root + " is there but " + files.root_key +
                                           " is not; if the root is kept elsewhere: " + std::string(next_issuing_hint));
  }
  if (!has_key) {
    auto key = make_key_pem();
    if (!key) {
      return key.error();
    }
    if (auto written = process::write_file_atomically(files.root_key, *key, 0600); !written) {
      return written.error();
    }
  }
  auto key = process::read_file(files.root_key, pem_size_limit);
  if (!key) {
    return key.error();
  }
  auto present = process::read_file(files.root, pem_size_limit);
  auto parsed = present ? parse_certificate(*present) : base::Result<CertificatePtr>(present.error());
  if (present && (!parsed || !belongs(*key, parsed->get()))) {
    return not_together(files.root_key, files.root);
  }
  if (!present || for_leaves_alone(parsed->get())) {  // also after a crash between the two files
    present = make_root(*key, now_s);
    if (!present) {
      return present.error();
    }
    if (auto written = process::write_file_atomically(files.root, *present, 0644); !written) {
      return written.error();
    }
  }
  auto const validity = certificate_validity(*present);
  if (!validity) {
    return validity.error();
  }
  return Authority(std::move(*key), *present, *present, *validity);
}

base::Result<Authority> Authority::open_issuing(AuthorityFiles const& files) {
  auto const both = process::read_file(files.issuing, pem_size_limit);
  auto root = process::read_file(files.root, pem_size_limit);
  if (!both || !root) {
    return both ? root.error() : both.error();
  }
  auto const issuer = parse_certificate(*both);
  auto const root_certificate = parse_certificate(*root);
  if (!issuer || !belongs(*both, issuer->get())) {
    return base::fail(errc::bad_state, files.issuing + " does not hold a certificate and its key");
  }
  if (!root_certificate || X509_verify(issuer->get(), X509_get0_pubkey(root_certificate->get())) != 1) {
    return not_together(files.issuing, files.root);
  }
  auto pem = to_pem(issuer->get());
  auto const validity = certificate_validity(*both);
  if (!pem || !validity) {
    return pem ? validity.error() : pem.error();
  }
  return Authority(*both, std::move(*pem), std::move(*root), *validity);
}

base::Result<Authority> Authority::open(std::string const& directory, std::int64_t now_s, RootKey root) {
  AuthorityFiles const files(directory);
  if (exists(files.issuing)) {
    return open_issuing(files);
  }
  if (root == RootKey::elsewhere || (exists(files.request_key) && !exists(files.root_key))) {
    return base::fail(errc::bad_state, "the root is kept elsewhere, and there is no " + files.issuing +
                                           " to issue certificates with yet: " + std::string(next_issuing_hint));
  }
  return open_root(files, now_s);
}

base::Result<std::string> Authority::issue(std::string const& csr_pem, std::string const& node, std::int64_t now_s,
                                           std::int64_t lifetime_s) const {
  auto name = csr_name(csr_pem);
  if (!name) {
    return name.error();
  }
  if (*name != node) {
    return base::fail(errc::bad_request, "the request is for '" + *name + "', not for '" + node + "'");
  }
  if (now_s >= issuer_validity_.until_s) {
    return base::fail(errc::expired, "what this controller issues certificates with ended at " +
                                         utc(issuer_validity_.until_s) +
                                         "; the next one: " + std::string(next_issuing_hint));
  }
  auto request = parse_request(csr_pem);
  auto issuer = parse_certificate(issuer_pem_);
  auto key = parse_key(key_pem_);
  ASSERT(request.has_value() && issuer.has_value() && key.has_value());
  auto leaf = make_certificate({node,
                                issuer->get(),
                                X509_REQ_get0_pubkey(request->get()),
                                key->get(),
                                {now_s - clock_skew_s, std::min(now_s + lifetime_s, issuer_validity_.until_s)},
                                {{NID_basic_constraints, "critical,CA:FALSE"},
                                 {NID_key_usage, "critical,digitalSignature"},
                                 {NID_ext_key_usage, "serverAuth,clientAuth"},
                                 {NID_subject_alt_name, "DNS:" + node + ",DNS:" + node + ".internal"},
                                 {NID_subject_key_identifier, "hash"},
                                 {NID_authority_key_identifier, "keyid"}}});
  if (leaf && !root_issues()) {
    *leaf += issuer_pem_;
  }
  return leaf;
}

}  // namespace internal_ca
