// Runs one coroutine on a loop of its own until it is done: how every command that waits is written.
//
// Threads: main's thread.
#pragma once

#include "base/net/task.hpp"

#include <functional>
#include <memory>
#include <string>

namespace privateer {

// What must outlive every turn of the loop, but not the loop itself.
using Keep = std::shared_ptr<void>;

// The coroutine's exit code; 1 when an exception escaped it (then it was logged). What `make` puts into `keep` is
// destroyed after the last turn of the loop.
int run_until_done(std::string const& name,
                   std::function<net::Task<int>(net::asio::any_io_executor, Keep& keep)> const& make);

}  // namespace privateer
