// `privateer status --watch`.
#include "base/http_client/http_client.hpp"
#include "base/process/service.hpp"
#include "mesh/privateer/commands.hpp"
#include "mesh/privateer/run.hpp"
#include "mesh/showing/status_text.hpp"
#include "mesh/showing/terminal.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <chrono>
#include <iostream>

#include <sys/ioctl.h>
#include <unistd.h>

namespace privateer {
namespace {

constexpr std::chrono::milliseconds pace{1000};
constexpr std::chrono::milliseconds deadline{5000};

struct Size {
  std::size_t rows = 24;
  std::size_t columns = 80;
};

Size terminal_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) {
    return {};
  }
  return {size.ws_row, size.ws_col};
}

// An agent that is away for a moment is part of the picture.
net::Task<void> show_once(net::HttpClient* client, std::string url, bool as_json, bool on_terminal) {
  net::HttpRequest request;
  auto const answer = co_await client->send(url, std::move(request), deadline);
  std::string const text = !answer                 ? "the agent does not answer: " + answer.error().what() + "\n"
                           : answer->status != 200 ? showing::problem_text(answer->body) + "\n"
                           : as_json               ? answer->body + "\n"
                                                   : showing::status_text(answer->body);
  auto const size = terminal_size();
  if (as_json || !on_terminal) {
    (answer ? std::cout : std::cerr) << text << (as_json ? "" : "\n") << std::flush;
  } else {
    std::cout << showing::picture_on_terminal(text, size.rows, size.columns) << std::flush;
  }
}

net::Task<void> show_again(net::asio::any_io_executor executor, std::string socket, bool as_json) {
  net::HttpClient client(executor, {});
  std::string const url = "unix:" + socket + ":/v1/status";
  bool const on_terminal = ::isatty(STDOUT_FILENO) != 0;
  if (on_terminal && !as_json) {
    std::cout << showing::wipe_terminal;
  }
  for (bool waited = true; waited && std::cout;) {
    co_await show_once(&client, url, as_json, on_terminal);
    waited = co_await net::wait_for(pace);
  }
}

net::Task<int> watch_main(net::asio::any_io_executor executor, std::string socket, bool as_json) {
  using namespace net::asio::experimental::awaitable_operators;
  co_await (show_again(executor, std::move(socket), as_json) || process::wait_for_signal());
  std::cout << std::flush;
  co_return exit_done;
}

}  // namespace

int watch(Settings const& settings, bool as_json) {
  auto const socket = settings.agent_unix;
  return run_until_done("watch", [socket, as_json](net::asio::any_io_executor executor, Keep&) {
    return watch_main(executor, socket, as_json);
  });
}

}  // namespace privateer
