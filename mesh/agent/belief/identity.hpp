// The WireGuard keys of this node, from its own files alone: the one it has, and while it changes it the next one.
//
// Files: wireguard.key, wireguard.key.next (both 0600). The next one becomes the key by a rename, so that a crash
// leaves the node with one or the other, and the world says which.
//
// Threads: one object on one loop; calls block for the time of a small file.
#pragma once

#include "mesh/wireguard/key.hpp"

#include <string>

namespace agent {

class Identity {
 public:
  explicit Identity(std::string const& state_directory);

  // errc::not_joined; enrolment::errc::bad_state.
  base::Result<void> open();

  [[nodiscard]] wireguard::PrivateKey const& own() const { return own_; }
  [[nodiscard]] wireguard::PrivateKey const& next() const { return next_; }  // unset: there is none
  [[nodiscard]] std::string own_public() const;
  [[nodiscard]] std::string next_public() const;  // "": there is none

  base::Result<void> make_next();  // keeps one that is there
  base::Result<void> take_next();  // it becomes the key
  base::Result<void> drop_next();

 private:
  std::string own_file_;
  std::string next_file_;
  wireguard::PrivateKey own_;
  wireguard::PrivateKey next_;
};

}  // namespace agent
