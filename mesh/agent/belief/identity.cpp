#include "mesh/agent/belief/identity.hpp"

#include "mesh/agent/belief/snapshots.hpp"
#include "mesh/enrolment/enroller.hpp"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

namespace agent {

Identity::Identity(std::string const& state_directory)
    : own_file_(enrolment::NodeFiles(state_directory).wireguard_key), next_file_(own_file_ + ".next") {}

base::Result<void> Identity::open() {
  std::error_code error;
  if (!std::filesystem::exists(own_file_, error)) {
    return base::fail(errc::not_joined, own_file_ + " is missing; run 'privateer join' first");
  }
  auto own = enrolment::load_or_make_wireguard_key(own_file_);
  if (!own) {
    return own.error();
  }
  own_ = std::move(*own);
  if (std::filesystem::exists(next_file_, error)) {
    auto next = enrolment::load_or_make_wireguard_key(next_file_);
    if (!next) {
      return next.error();
    }
    next_ = std::move(*next);
  }
  return {};
}

std::string Identity::own_public() const {
  return wireguard::public_key(own_).to_base64();
}

std::string Identity::next_public() const {
  return next_.is_set() ? wireguard::public_key(next_).to_base64() : std::string();
}

base::Result<void> Identity::make_next() {
  auto next = enrolment::load_or_make_wireguard_key(next_file_);
  if (!next) {
    return next.error();
  }
  next_ = std::move(*next);
  return {};
}

base::Result<void> Identity::take_next() {
  if (std::rename(next_file_.c_str(), own_file_.c_str()) != 0) {
    return base::fail_errno(errno, "making " + next_file_ + " the key of this node");
  }
  own_ = std::exchange(next_, wireguard::PrivateKey());
  return {};
}

base::Result<void> Identity::drop_next() {
  if (std::remove(next_file_.c_str()) != 0 && errno != ENOENT) {
    return base::fail_errno(errno, "removing " + next_file_);
  }
  next_ = wireguard::PrivateKey();
  return {};
}

}  // namespace agent
