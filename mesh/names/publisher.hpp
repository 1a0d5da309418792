// Keeps the mesh's names where they are asked for: the zones in a Navigator, over its API socket, and a block of a
// hosts file. Wanted, as the newest world says; put there whole, again and again: at each world, after a failure with
// pauses of a second to a minute, and every ten minutes in case somebody changed them. What is there already is not
// written again.
//
// Threads: one object on one loop.
#pragma once

#include "base/net/task.hpp"
#include "mesh/names/names.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace names {

struct PublisherSettings {
  std::string navigator;   // path of a Navigator's API socket; empty: no zones are put anywhere
  std::string hosts_file;  // its block is ours, see with_block(); empty: none is written
};

struct PublisherStatus {
  std::int64_t revision = -1;  // of the world whose names are in place; -1: none yet
  std::string failure;         // of the last try; empty: it succeeded
};

// {"revision":7,"failure":""}
[[nodiscard]] std::string to_json(PublisherStatus const& status);

class Publisher {
 public:
  Publisher(net::asio::any_io_executor executor, PublisherSettings settings);
  ~Publisher();  // what is under way ends unheard
  Publisher(Publisher const&) = delete;
  Publisher& operator=(Publisher const&) = delete;

  void publish(plan::World const& world);
  [[nodiscard]] PublisherStatus const& status() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace names
