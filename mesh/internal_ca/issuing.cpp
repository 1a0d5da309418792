#include "mesh/internal_ca/issuing.hpp"

#include "base/process/service.hpp"
#include "mesh/internal_ca/certificate.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <filesystem>

namespace internal_ca {

namespace {

constexpr std::size_t pem_size_limit = 65536;
constexpr char const* issuing_name = "Sovereign issuing authority";

bool exists(std::string const& file) {
  std::error_code ignored;
  return std::filesystem::exists(file, ignored);
}

base::Result<void> make_directory(std::string const& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  return error ? base::Result<void>(base::fail_errno(error.value(), "cannot make " + directory)) : base::Result<void>();
}

base::Result<std::string> first_key(std::string const& pem) {
  auto const key = parse_key(pem);
  if (!key) {
    return key.error();
  }
  BioPtr const bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PrivateKey(bio.get(), key->get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return crypto_failure("cannot write a key");
  }
  return content_of(bio.get());
}

// The key that this certificate is for: of the request, or the one in use (then it is only longer valid).
base::Result<std::string> key_for(AuthorityFiles const& files, std::string const& certificate_pem) {
  auto const wanted = certificate_key_sha256(certificate_pem);
  if (!wanted) {
    return wanted.error();
  }
  for (auto const& file : {files.request_key, files.issuing}) {
    auto const text = process::read_file(file, pem_size_limit);
    auto const own = text ? public_key_sha256(*text) : text.error();
    if (own && *own == *wanted) {
      return first_key(*text);
    }
  }
  return base::fail(
      errc::bad_state,
      "the certificate is for none of this controller's keys: sign what `privateer ca request` says here");
}

base::Result<void> check_root(AuthorityFiles const& files, std::string const& root_pem) {
  auto const present = process::read_file(files.root, pem_size_limit);
  if (!present) {
    return present.error().code == boost::system::errc::no_such_file_or_directory ? base::Result<void>()
                                                                                  : present.error();
  }
  auto const here = certificate_key_sha256(*present);
  auto const shown = certificate_key_sha256(root_pem);
  if (!here || !shown || *here != *shown) {
    return base::fail(errc::untrusted, "it is by another root than " + files.root +
                                           ", which the nodes that joined verify by; nothing was replaced");
  }
  return {};
}

base::Result<void> check_issues(X509* certificate) {
  bool const issues = X509_check_ca(certificate) == 1 && (X509_get_key_usage(certificate) & KU_KEY_CERT_SIGN) != 0;
  return issues ? base::Result<void>()
                : base::Result<void>(base::fail(errc::untrusted, "the certificate may not issue others"));
}

}  // namespace

base::Result<std::string> create_root(std::string const& directory, std::int64_t lifetime_s, std::int64_t now_s) {
  AuthorityFiles const files(directory);
  if (auto made = make_directory(directory); !made) {
    return made.error();
  }
  for (auto const& file : {files.root_key, files.root}) {
    if (exists(file)) {
      return base::fail(errc::bad_state, file + " is there already; nothing was replaced");
    }
  }
  auto const key = make_key_pem();
  auto root = key ? make_root(*key, now_s, lifetime_s) : key;
  if (!root) {
    return root;
  }
  if (auto written = process::write_file_atomically(files.root_key, *key, 0600); !written) {
    return written.error();
  }
  if (auto written = process::write_file_atomically(files.root, *root, 0644); !written) {
    return written.error();
  }
  return root;
}

base::Result<std::string> request_issuing(std::string const& directory) {
  AuthorityFiles const files(directory);
  if (auto made = make_directory(directory); !made) {
    return made.error();
  }
  if (!exists(files.request_key)) {
    auto const key = make_key_pem();
    if (!key) {
      return key.error();
    }
    if (auto written = process::write_file_atomically(files.request_key, *key, 0600); !written) {
      return written.error();
    }
  }
  auto const key = process::read_file(files.request_key, pem_size_limit);
  if (!key) {
    return key.error();
  }
  if (!parse_key(*key)) {
    return base::fail(errc::bad_state, files.request_key + " exists but holds no key; nothing was replaced");
  }
  return make_csr_pem(*key, issuing_name);
}

base::Result<std::string> sign_issuing(std::string const& root_directory, std::string const& csr_pem,
                                       std::int64_t lifetime_s, std::int64_t now_s) {
  AuthorityFiles const files(root_directory);
  auto const name = csr_name(csr_pem);
  if (!name) {
    return name.error();
  }
  if (*name != issuing_name) {
    return base::fail(errc::bad_request, "the request is for '" + *name + "' and no `privateer ca request`'s");
  }
  auto const key_pem = process::read_file(files.root_key, pem_size_limit);
  auto const root_pem = process::read_file(files.root, pem_size_limit);
  if (!key_pem || !root_pem) {
    return key_pem ? root_pem.error() : key_pem.error();
  }
  auto const key = parse_key(*key_pem);
  auto const root = parse_certificate(*root_pem);
  if (!key || !root || X509_check_private_key(root->get(), key->get()) != 1) {
    return base::fail(errc::bad_state, files.root_key + " and " + files.root + " do not belong together");
  }
  if (X509_get_pathlen(root->get()) == 0) {
    return base::fail(errc::bad_state, files.root +
                                           " is for leaves alone (path length 0): let the controller start once with "
                                           "it and its key, which writes it anew, and take that one");
  }
  std::int64_t const root_until_s = seconds_of(X509_get0_notAfter(root->get()));
  if (now_s >= root_until_s) {
    return base::fail(errc::expired, "the root ended at " + utc(root_until_s));
  }
  auto const request = parse_request(csr_pem);
  ASSERT(request.has_value());
  auto made = make_certificate({issuing_name,
                                root->get(),
                                X509_REQ_get0_pubkey(request->get()),
                                key->get(),
                                {now_s - clock_skew_s, std::min(now_s + lifetime_s, root_until_s)},
                                {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                                 {NID_key_usage, "critical,keyCertSign,cRLSign"},
                                 {NID_subject_key_identifier, "hash"},
                                 {NID_authority_key_identifier, "keyid"}}});
  if (made) {
    *made += *root_pem;
  }
  return made;
}

base::Result<void> install_issuing(std::string const& directory, std::string const& signed_pem, std::int64_t now_s) {
  AuthorityFiles const files(directory);
  auto const both = parse_certificates(signed_pem);
  if (!both || both->size() != 2) {
    return base::fail(errc::bad_state, "this is not what `privateer ca sign` gives: a certificate and the root's");
  }
  auto const issuing_pem = to_pem(both->front().get());
  auto const root_pem = to_pem(both->back().get());
  if (!issuing_pem || !root_pem) {
    return issuing_pem ? root_pem.error() : issuing_pem.error();
  }
  auto const key = key_for(files, *issuing_pem);
  if (!key) {
    return key.error();
  }
  for (auto const& checked : {check_root(files, *root_pem), check_issues(both->front().get()),
                              verify_chain(*issuing_pem, *root_pem, now_s)}) {
    if (!checked) {
      return checked;
    }
  }
  // The root first: what is issued from the next moment on is verified by it.
  if (auto written = process::write_file_atomically(files.root, *root_pem, 0644); !written) {
    return written;
  }
  if (auto written = process::write_file_atomically(files.issuing, *key + *issuing_pem, 0600); !written) {
    return written;
  }
  auto const waiting = process::read_file(files.request_key, pem_size_limit);
  auto const requested = waiting ? public_key_sha256(*waiting) : waiting.error();
  std::error_code ignored;  // left behind, it would be asked for again, and found to be in use
  if (requested && *requested == *certificate_key_sha256(*issuing_pem)) {
    std::filesystem::remove(files.request_key, ignored);
  }
  return {};
}

base::Result<Standing> look_at(std::string const& directory) {
  AuthorityFiles const files(directory);
  Standing out;
  out.root_key_here = exists(files.root_key);
  out.issuing_installed = exists(files.issuing);
  out.requested = exists(files.request_key);
  auto const validity_of = [](std::string const& file, Validity& into) -> base::Result<void> {
    auto const text = process::read_file(file, pem_size_limit);
    auto const read = text ? certificate_validity(*text) : text.error();
    if (!read) {
      return base::fail(errc::bad_state, file + ": " + read.error().what());
    }
    into = *read;
    return {};
  };
  if (exists(files.root)) {
    if (auto read = validity_of(files.root, out.root); !read) {
      return read.error();
    }
    auto const text = process::read_file(files.root, pem_size_limit);
    auto const digest = text ? certificate_key_sha256(*text) : text.error();
    if (!digest) {
      return digest.error();
    }
    out.root_known = true;
    out.root_sha256 = *digest;
  }
  out.issuing = out.root;
  if (out.issuing_installed) {
    if (auto read = validity_of(files.issuing, out.issuing); !read) {
      return read.error();
    }
  }
  if (std::string const own = directory + "/controller.crt"; exists(own)) {
    if (auto read = validity_of(own, out.serving); !read) {
      return read.error();
    }
  }
  return out;
}

std::string alarm(Standing const& standing, std::int64_t now_s) {
  if (!standing.root_known) {
    return standing.requested ? "a request waits to be signed and installed: " + std::string(next_issuing_hint)
                              : "there is no root yet: the controller makes one at its first start, or: " +
                                    std::string(next_issuing_hint);
  }
  if (now_s >= standing.root.until_s) {
    return "the root ended at " + utc(standing.root.until_s) +
           ": nobody believes anybody; make another and let every "
           "node join again";
  }
  std::int64_t const left_s = standing.issuing.until_s - now_s;
  if (standing.issuing_installed && left_s <= 0) {
    return "what this controller issues certificates with ended at " + utc(standing.issuing.until_s) +
           "; the next one: " + std::string(next_issuing_hint);
  }
  if (standing.issuing_installed && left_s < alarm_before_s(standing.issuing)) {
    return "what this controller issues certificates with ends at " + utc(standing.issuing.until_s) +
           "; the next one: " + std::string(next_issuing_hint);
  }
  if (standing.root.until_s - now_s < alarm_before_s(standing.root)) {
    return "the root ends at " + utc(standing.root.until_s) + "; plan for another, which every node has to join by";
  }
  return {};
}

}  // namespace internal_ca
