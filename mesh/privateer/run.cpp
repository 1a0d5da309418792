#include "mesh/privateer/run.hpp"

#include "mesh/privateer/commands.hpp"

#include <boost/asio/io_context.hpp>

namespace privateer {
namespace {

net::Task<void> keep_code(net::Task<int> task, net::asio::io_context* io, int* code) {
  *code = co_await std::move(task);
  io->stop();
}

}  // namespace

int run_until_done(std::string const& name,
                   std::function<net::Task<int>(net::asio::any_io_executor, Keep& keep)> const& make) {
  net::asio::io_context io(1);
  Keep keep;
  int code = exit_failed;
  net::spawn(io.get_executor(), name, keep_code(make(io.get_executor(), keep), &io, &code));
  io.run();
  return code;
}

}  // namespace privateer
