// TLS keys and certificate requests, what they say, and whether a chain of certificates leads to a root. EC P-256
// throughout; OpenSSL is included in the .cpp files of this module only.
//
// Threads: pure functions.
#pragma once

#include "mesh/internal_ca/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace internal_ca {

base::Result<std::string> make_key_pem();
// A request (PKCS #10) with subject CN `node` and SAN DNS `node`.
base::Result<std::string> make_csr_pem(std::string const& key_pem, std::string const& node);
// The name a request is for, after its self-signature was verified. errc::bad_request.
base::Result<std::string> csr_name(std::string const& csr_pem);
// SHA-256 of the request's SubjectPublicKeyInfo (DER), lower-case hex, as net::Peer has a certificate's. bad_request.
base::Result<std::string> csr_key(std::string const& csr_pem);
// The same of a private key's public half, and of the first certificate of a text. errc::crypto.
base::Result<std::string> public_key_sha256(std::string const& key_pem);
base::Result<std::string> certificate_key_sha256(std::string const& certificate_pem);

struct Validity {
  std::int64_t from_s = 0;  // since the epoch
  std::int64_t until_s = 0;
  bool operator==(Validity const&) const = default;
};
base::Result<std::int64_t> certificate_not_after(std::string const& certificate_pem);
// Of the certificate at this place of a text, 0 the first. errc::crypto when there are not so many.
base::Result<Validity> certificate_validity(std::string const& chain_pem, std::size_t place = 0);

// The first certificate of the text must be valid now and lead, over those behind it, to the root's key. errc::expired
// names the certificate that has ended (or does not begin yet) and says what brings the next one; errc::untrusted.
base::Result<void> verify_chain(std::string const& chain_pem, std::string const& root_pem, std::int64_t now_s);

// What verify_chain asks of a certificate that a node was given, and that it is for this key.
base::Result<void> verify_own(std::string const& chain_pem, std::string const& root_pem, std::string const& key_pem,
                              std::int64_t now_s);

// How the next certificate to issue with comes: one sentence for whoever finds that it has ended, or soon will.
inline constexpr std::string_view next_issuing_hint =
    "`privateer ca request` on the controller, `privateer ca sign` where the root is kept, `privateer ca install` on "
    "the controller";

}  // namespace internal_ca
