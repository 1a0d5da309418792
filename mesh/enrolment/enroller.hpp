// The node's side of joining: keys are made here and never leave; the token's fingerprint pins the controller.
//
// Files in the state directory: wireguard.key and node.key (0600, made once, reused on every retry), node.crt (with
// what issued it, where that is not the root), ca.crt (the root),
// controller.pin (the key that worlds are signed with, from the token) and world.joined (the world of that moment:
// whatever seed the machine has, it knows who was removed before it came).
//
// Threads: coroutines of the calling loop.
#pragma once

#include "base/net/task.hpp"
#include "mesh/enrolment/token.hpp"
#include "mesh/wireguard/key.hpp"

#include <string>

namespace enrolment {

struct NodeFiles {
  explicit NodeFiles(std::string const& directory);
  std::string wireguard_key, tls_key, certificate, ca, revocations, pin, joined_world;
};

// Reads the key, or makes it when the file does not exist. A file that exists and holds no key is errc::bad_state:
// identity is never replaced silently.
base::Result<wireguard::PrivateKey> load_or_make_wireguard_key(std::string const& file);
base::Result<std::string> load_or_make_tls_key(std::string const& file);

struct JoinSettings {
  std::string controller_url;  // "https://198.51.100.10:18012"
  std::string state_directory;
  std::string node;                            // an operator: its name without the suffix
  std::string controller_name = "controller";  // the name in the controller's certificate
  bool as_operator = false;                    // no node: no WireGuard key, no world
};

// Joins, or joins again after a lost answer. Failures: those of net::HttpClient, errc::refused with the controller's
// reason, errc::bad_state.
net::Task<base::Result<void>> join(JoinSettings settings, Token token);

// What a node shows for a new certificate: the present one (mTLS), or, when that has ended, that it still holds the
// WireGuard key and the TLS key that it joined with.
enum class Shown { certificate, keys };

// Asks for a new certificate and writes it. A node that joined before there were pins gets its pin on this occasion;
// one that differs from the pin it has is errc::refused, and so is a root with another key than the one it joined by.
net::Task<base::Result<void>> renew(JoinSettings settings, Shown shown = Shown::certificate);

}  // namespace enrolment
