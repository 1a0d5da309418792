// Runs one coroutine on a loop of its own until it is done: how every command that waits is written.
//
// Threads: main's thread.
#pragma once

#include "base/net/task.hpp"

#include <functional>
#include <string>

namespace privateer {

// The coroutine's exit code; 1 when an exception escaped it (then it was logged).
int run_until_done(std::string const& name, std::function<net::Task<int>(net::asio::any_io_executor)> const& make);

}  // namespace privateer
