#include "dns-backend/navigator/client.hpp"

#include "base/net/http_client.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <optional>

namespace navigator {

namespace {

using Slot = std::shared_ptr<std::optional<base::Result<net::HttpResponse>>>;

net::Task<void> send_into(Slot slot, net::HttpClient& client, std::string url, net::HttpRequest request,
                          std::chrono::milliseconds deadline) {
  slot->emplace(co_await client.send(std::move(url), std::move(request), deadline));
}

}  // namespace

base::Result<ApiAnswer> call_api(std::string const& socket_path, std::string const& method, std::string const& target,
                                 std::string const& body, std::chrono::milliseconds deadline) {
  net::asio::io_context loop(1);
  net::HttpClient client(loop.get_executor(), {});
  net::HttpRequest request;
  request.method = method;
  request.body = body;
  if (!body.empty()) {
    request.headers.set("Content-Type", body.front() == '{' || body.front() == '[' ? "application/json" : "text/dns");
  }
  auto slot = std::make_shared<std::optional<base::Result<net::HttpResponse>>>();
  net::spawn(loop.get_executor(), "api request",
             send_into(slot, client, "unix:" + socket_path + ":" + target, std::move(request), deadline));
  loop.run();
  if (!slot->has_value()) {
    return base::fail(net::errc::cancelled, "the request to " + socket_path + " ended without an answer");
  }
  if (slot->value().has_error()) {
    return slot->value().error();
  }
  return ApiAnswer{(*slot)->value().status, (*slot)->value().body};
}

std::string path_segment(std::string const& text) {
  constexpr char const* digits = "0123456789ABCDEF";
  std::string out;
  for (char const c : text) {
    bool const plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                       c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      auto const octet = static_cast<unsigned char>(c);
      out += '%';
      out += digits[octet >> 4U];
      out += digits[octet & 15U];
    }
  }
  return out;
}

}  // namespace navigator
