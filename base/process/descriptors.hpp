// File descriptors that pass from one process to another: through systemd's store of descriptors
// (sd_listen_fds(3), FDSTORE=1 of sd_notify(3)) and through a unix socket (SCM_RIGHTS of unix(7)).
//
// Threads: a Descriptor is a value of one owner; take_passed_descriptors belongs to the start of main(); the rest may
// be called from any thread.
#pragma once

#include "base/result/result.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace process {

// Owns one open descriptor, or none (-1).
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int descriptor) : value_(descriptor) {}
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  [[nodiscard]] int get() const { return value_; }
  [[nodiscard]] int release() { return std::exchange(value_, -1); }
  [[nodiscard]] bool open() const { return value_ >= 0; }
  // Another descriptor of the same file, close-on-exec.
  [[nodiscard]] base::Result<Descriptor> duplicate() const;

 private:
  int value_ = -1;
};

struct NamedDescriptor {
  std::string name;  // as it was stored; "unknown" without a name
  Descriptor descriptor;
};

// What the service manager passed to this process; a second call yields nothing. Each is close-on-exec.
std::vector<NamedDescriptor> take_passed_descriptors();

[[nodiscard]] bool has_service_manager();

// Gives copies to the service manager, which keeps them for the next start of the unit (FileDescriptorStoreMax= must be
// large enough) and drops one by itself when its other end hangs up. `name`: ASCII without ':', at most 255.
base::Result<void> store_descriptors(std::string const& name, std::vector<int> const& descriptors);
// The service manager closes its copies, so that a close of ours is seen by the other end.
base::Result<void> forget_descriptors(std::string const& name);
// Returns when the service manager has read all that was sent to it so far: a process that ends sooner may not be
// recognised any more and its descriptors are lost.
base::Result<void> wait_for_service_manager(std::chrono::milliseconds deadline);

// One packet of a connected SOCK_SEQPACKET unix socket, with at most one descriptor beside the text.
struct Packet {
  std::string text;
  Descriptor descriptor;
};
// Does not block; would_block (generic category) when the other end does not read.
base::Result<void> send_packet(int socket, std::string_view text, int descriptor = -1);
// Nothing when the other end has gone; would_block when nothing is there yet. Longer packets than `limit` fail.
base::Result<std::optional<Packet>> receive_packet(int socket, std::size_t limit);

// The process that listens on the unix socket at `path`; nothing when nobody does. An errno code when it cannot be
// told.
base::Result<std::optional<int>> listener_pid(std::string const& path);

}  // namespace process
