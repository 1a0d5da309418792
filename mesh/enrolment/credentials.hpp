// TLS keys and certificate requests, and what a certificate request says. EC P-256 throughout; OpenSSL is included in
// the .cpp files of this module only.
//
// Threads: pure functions.
#pragma once

#include "mesh/enrolment/error.hpp"

#include <string>
#include <string_view>

namespace enrolment {

base::Result<std::string> make_key_pem();
// A request (PKCS #10) with subject CN `node` and SAN DNS `node`.
base::Result<std::string> make_csr_pem(std::string const& key_pem, std::string const& node);
// The name a request is for, after its self-signature was verified. errc::bad_request.
base::Result<std::string> csr_name(std::string const& csr_pem);
// SHA-256 of the request's SubjectPublicKeyInfo (DER), lower-case hex, as net::Peer has a certificate's. bad_request.
base::Result<std::string> csr_key(std::string const& csr_pem);
// Seconds since the epoch.
base::Result<std::int64_t> certificate_not_after(std::string const& certificate_pem);

}  // namespace enrolment
