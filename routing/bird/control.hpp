// A client of BIRD's control socket: one line in, lines with 4-digit codes out.
//
// Each command uses a connection of its own, so that nothing is shared between tasks and a BIRD that was restarted is
// met again by itself. Codes (doc/reply_codes of BIRD 2.0): 0xxx the end of a success, 1xxx and 2xxx data, 8xxx the
// command failed, 9xxx the command was not understood.
//
// Bounds: one deadline for connect, command and reply together; at most 4 MiB of a reply.
//
// Threads: one object on one loop; commands may overlap.
#pragma once

#include "base/net/task.hpp"
#include "routing/bird/status.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace bird {

enum class errc {
  unreachable = 1,  // nobody listens on the socket: BIRD does not run, or runs with another one
  failed,           // BIRD answered with an 8xxx code: the command could not be done, or a configuration is wrong
  syntax,           // 9xxx: the command was not understood
  bad_reply,        // what came is not BIRD's protocol
  too_large,        // the reply is longer than 4 MiB
};
boost::system::error_code make_error_code(errc code);

struct Reply {
  struct Line {
    unsigned code = 0;
    std::string text;
    bool operator==(Line const&) const = default;
  };
  std::vector<Line> lines;  // without the greeting, in order; continuation lines carry the code of their first

  [[nodiscard]] Lines text() const;
};

// Reads a reply out of a growing buffer. Pure, for tests and fuzzing.
class ReplyReader {
 public:
  // One line without its end. True when it ended the reply. bad_reply: not a reply line.
  base::Result<bool> feed(std::string_view line);
  [[nodiscard]] Reply const& reply() const { return reply_; }
  [[nodiscard]] Reply take() { return std::move(reply_); }

 private:
  Reply reply_;
};

class Control {
 public:
  explicit Control(std::string socket_path, std::chrono::milliseconds deadline = std::chrono::milliseconds(3000))
      : socket_path_(std::move(socket_path)), deadline_(deadline) {}

  // net::errc::timed_out when BIRD did not answer in time, besides errc above.
  [[nodiscard]] net::Task<base::Result<Reply>> command(std::string text) const;

  // Reads `file` (empty: the file BIRD was started with) and applies it; errc::failed names line and problem. An
  // applied file is used from the moment this returns, while BIRD may still be restarting changed protocols.
  // With `undo_after` BIRD goes back by itself unless `configure confirm` comes first.
  [[nodiscard]] net::Task<base::Result<void>> configure(std::string file = {},
                                                        std::chrono::seconds undo_after = {}) const;
  // Only reads it.
  [[nodiscard]] net::Task<base::Result<void>> check(std::string file) const;

  // Enabling what is enabled is a success. errc::failed when there is no such protocol.
  [[nodiscard]] net::Task<base::Result<void>> enable(std::string protocol) const;
  [[nodiscard]] net::Task<base::Result<void>> disable(std::string protocol) const;

  [[nodiscard]] net::Task<base::Result<std::vector<ProtocolRow>>> protocols() const;
  [[nodiscard]] net::Task<base::Result<std::vector<Neighbor>>> ospf_neighbors() const;  // of both OSPF instances
  [[nodiscard]] net::Task<base::Result<std::vector<BfdSession>>> bfd_sessions() const;

  [[nodiscard]] std::string const& socket_path() const { return socket_path_; }

 private:
  std::string socket_path_;
  std::chrono::milliseconds deadline_;
};

}  // namespace bird

template <>
struct boost::system::is_error_code_enum<bird::errc> : std::true_type {};
