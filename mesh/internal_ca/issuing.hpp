// A root that is kept away from the controller, and the certificate that the controller issues with instead.
//
//   anywhere:       create_root  --> ca.key, ca.crt          (never leaves that place: ca.key)
//   the controller: request      --> a key that stays here, and a request (PKCS #10)
//   where the root is: sign      --> a certificate (CA, path length 0, limited life), followed by the root's
//   the controller: install      --> issuing.pem, ca.crt; a running controller takes it within seconds
//
// Threads: functions over files, for commands; they block.
#pragma once

#include "mesh/internal_ca/authority.hpp"

#include <cstdint>
#include <string>

namespace internal_ca {

inline constexpr std::int64_t issuing_lifetime_s = 90LL * 24 * 3600;

// Makes ca.key (0600) and ca.crt in the directory, which is made when it is not there. errc::bad_state: one of them is
// there; nothing is replaced. The certificate's text.
base::Result<std::string> create_root(std::string const& directory, std::int64_t lifetime_s, std::int64_t now_s);

// A request for the key in `directory`, which is made at the first call and is the same until it is installed.
base::Result<std::string> request_issuing(std::string const& directory);

// The certificate for such a request, followed by the root's. It ends with the root at the latest. errc::bad_request,
// errc::bad_state (no root here, or one that may sign leaves alone), errc::expired (the root has ended).
base::Result<std::string> sign_issuing(std::string const& root_directory, std::string const& csr_pem,
                                       std::int64_t lifetime_s, std::int64_t now_s);

// Takes what sign_issuing gave. It must be for the key of the request (or for the one in use), be able to issue, be
// valid now, and come from the root that is here; without one here the root of the text is taken. errc::bad_state,
// untrusted, expired: nothing has changed.
base::Result<void> install_issuing(std::string const& directory, std::string const& signed_pem, std::int64_t now_s);

struct Standing {
  bool root_known = false;  // ca.crt is here
  std::string root_sha256;  // of the root's key; two controllers of one mesh have the same
  Validity root;
  bool root_key_here = false;
  bool issuing_installed = false;
  Validity issuing;  // of what issues, also of the root when that does
  bool requested = false;
  Validity serving;  // of the controller's own certificate; zero: there is none yet
};
// What is in the directory. errc::bad_state, errc::crypto: a file is damaged.
base::Result<Standing> look_at(std::string const& directory);

// One sentence for whoever has to do something; empty: nobody has.
std::string alarm(Standing const& standing, std::int64_t now_s);

}  // namespace internal_ca
