// Stands before an HTTP server of the test's own loop and passes on what is asked, until it is told to cut: then one
// request is done, and the connection that carried it, which had carried others, ends without an answer.
//
// Threads: one loop, the test's.
#pragma once

#include "base/net/task.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

namespace test {

class CuttingProxy {
  using Tcp = boost::asio::ip::tcp;

 public:
  explicit CuttingProxy(boost::asio::any_io_executor executor) : shared_(std::make_shared<Shared>(executor)) {
    net::spawn(executor, "cutting proxy", accept(shared_));
  }
  ~CuttingProxy() { stop(); }
  CuttingProxy(CuttingProxy const&) = delete;
  CuttingProxy& operator=(CuttingProxy const&) = delete;

  [[nodiscard]] std::string base() const {
    return "http://127.0.0.1:" + std::to_string(shared_->acceptor.local_endpoint().port());
  }
  void forward_to(std::uint16_t port) { shared_->port = port; }
  // The next request that begins with this, "POST /key-change".
  void cut(std::string what) { shared_->cut = std::move(what); }
  [[nodiscard]] int cuts() const { return shared_->cuts; }
  void stop() {
    boost::system::error_code ignored;
    shared_->acceptor.close(ignored);
  }

 private:
  struct Shared {
    explicit Shared(boost::asio::any_io_executor const& executor)
        : acceptor(executor, {boost::asio::ip::make_address("127.0.0.1"), 0}) {}
    Tcp::acceptor acceptor;
    std::uint16_t port = 0;
    std::string cut;
    int cuts = 0;
  };
  static constexpr auto quiet = boost::asio::as_tuple(boost::asio::use_awaitable);

  static net::Task<void> accept(std::shared_ptr<Shared> shared) {
    for (;;) {
      auto [error, socket] = co_await shared->acceptor.async_accept(quiet);
      if (error) {
        co_return;
      }
      auto const executor = socket.get_executor();
      net::spawn(executor, "cut connection", pass(shared, std::move(socket)));
    }
  }

  // A message with its body, or nothing at the connection's end.
  static net::Task<std::optional<std::string>> read(Tcp::socket& socket, std::string& carry, bool body) {
    auto const [error, size] =
        co_await boost::asio::async_read_until(socket, boost::asio::dynamic_buffer(carry), "\r\n\r\n", quiet);
    if (error) {
      co_return std::nullopt;
    }
    std::string head = carry.substr(0, size);
    std::ranges::transform(head, head.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    auto const at = head.find("content-length:");
    std::size_t const length = !body || at == std::string::npos ? 0 : std::strtoul(head.c_str() + at + 15, nullptr, 10);
    if (carry.size() < size + length) {
      std::size_t const missing = size + length - carry.size();
      auto const [failed, count] = co_await boost::asio::async_read(socket, boost::asio::dynamic_buffer(carry),
                                                                    boost::asio::transfer_exactly(missing), quiet);
      if (failed || count != missing) {
        co_return std::nullopt;
      }
    }
    std::string message = carry.substr(0, size + length);
    carry.erase(0, size + length);
    co_return message;
  }

  static net::Task<void> pass(std::shared_ptr<Shared> shared, Tcp::socket client) {
    Tcp::socket server(client.get_executor());
    Tcp::endpoint const place(boost::asio::ip::make_address("127.0.0.1"), shared->port);
    if (auto const [error] = co_await server.async_connect(place, quiet); error) {
      co_return;
    }
    std::string asked;
    std::string answered;
    for (int served = 0;; ++served) {
      auto const request = co_await read(client, asked, true);
      if (!request) {
        co_return;
      }
      co_await boost::asio::async_write(server, boost::asio::buffer(*request), quiet);
      auto const answer = co_await read(server, answered, !request->starts_with("HEAD "));
      if (!answer) {
        co_return;
      }
      if (served > 0 && !shared->cut.empty() && request->starts_with(shared->cut)) {
        shared->cut.clear();
        ++shared->cuts;
        co_return;
      }
      co_await boost::asio::async_write(client, boost::asio::buffer(*answer), quiet);
    }
  }

  std::shared_ptr<Shared> shared_;
};

}  // namespace test
