#include "mesh/internal_ca/serving.hpp"

#include "base/process/service.hpp"

#include <algorithm>

namespace internal_ca {

namespace {

constexpr std::size_t pem_size_limit = 65536;

// Whether the present text is by what issues now, for this key, and not yet past half of its life.
bool will_do(Authority const& authority, std::string const& text, std::string const& key_sha256, std::int64_t now_s) {
  auto const own = certificate_key_sha256(text);
  auto const validity = certificate_validity(text);
  bool const chained = authority.root_issues() || text.find(authority.issuer_pem()) != std::string::npos;
  if (!own || *own != key_sha256 || !validity || !chained || !verify_chain(text, authority.root_pem(), now_s)) {
    return false;
  }
  constexpr std::int64_t worth_s = 60;  // else it would be renewed ever more often before the end of what issues
  std::int64_t const next_s = std::min(now_s + serving_lifetime_s, authority.issuer_validity().until_s);
  bool const due = validity->until_s - now_s < (validity->until_s - validity->from_s) / 2;
  return !due || next_s < validity->until_s + worth_s;
}

}  // namespace

base::Result<Serving> keep_serving_certificate(Authority const& authority, std::string const& key_file,
                                               std::string const& certificate_file, std::int64_t now_s) {
  auto const key = process::read_file(key_file, pem_size_limit);
  auto const key_sha256 = key ? public_key_sha256(*key) : key.error();
  if (!key_sha256) {
    return key_sha256.error();
  }
  Serving out{*key_sha256, false, {}};
  auto const present = process::read_file(certificate_file, pem_size_limit);
  if (present && will_do(authority, *present, *key_sha256, now_s)) {
    return out;
  }
  auto const csr = make_csr_pem(*key, controller_name);
  auto const issued = csr ? authority.issue(*csr, controller_name, now_s, serving_lifetime_s) : csr;
  if (!issued) {
    if (!present || issued.error().code != errc::expired) {
      return issued.error();
    }
    out.warning = issued.error().what();  // operators can still ask over the unix socket, and are told
    return out;
  }
  if (auto written = process::write_file_atomically(certificate_file, *issued, 0644); !written) {
    return written.error();
  }
  out.renewed = true;
  return out;
}

}  // namespace internal_ca
