#include "mesh/looking/controller_call.hpp"

#include "base/http_client/http_client.hpp"
#include "mesh/enrolment/enroller.hpp"

#include <utility>

namespace looking {

net::Task<base::Result<std::string>> ask_controller(Place place, std::string method, std::string path,
                                                    std::chrono::milliseconds deadline) {
  net::HttpClientSettings settings;
  std::string url = "unix:" + place.controller_socket + ":" + path;
  if (place.controller_socket.empty()) {
    if (place.controller_url.empty()) {
      co_return base::fail(net::errc::refused, "the settings name no controller (controller.url), and none runs here");
    }
    enrolment::NodeFiles const files(place.state);
    settings.tls.ca_file = files.ca;
    settings.tls.identity = net::Identity{files.certificate, files.tls_key};
    settings.tls.server_name = "controller";
    url = place.controller_url + path;
  }
  net::HttpClient client(co_await net::asio::this_coro::executor, std::move(settings));
  net::HttpRequest request;
  request.method = std::move(method);
  auto const answer = co_await client.send(url, std::move(request), deadline);
  if (!answer) {
    co_return answer.error();
  }
  if (answer->status / 100 != 2) {
    co_return base::fail(net::errc::bad_message,
                         "status " + std::to_string(answer->status) + ": " + answer->body.substr(0, 300));
  }
  co_return answer->body;
}

}  // namespace looking
