// An edge agent, a scripted Navigator, and a TLS server that, like nginx, reads its files only when it is told.
//
// Threads: one loop, the test's.
#pragma once

#include "acme/edge/agent.hpp"
#include "base/http_server/http_server.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/test_ca.hpp"

#include <gmock/gmock.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace edge {

namespace asio = boost::asio;

// Serves the certificate that was live when the hook ran last.
struct WebServer {
  WebServer(asio::io_context& loop, std::string bundles, std::string reloads)
      : acceptor(loop, {asio::ip::make_address("127.0.0.1"), 0}),
        folder(std::move(bundles)),
        file(std::move(reloads)) {}

  static net::Task<void> serve(std::shared_ptr<WebServer> self) {
    constexpr auto quiet = asio::as_tuple(asio::use_awaitable);
    for (;;) {
      auto [error, socket] = co_await self->acceptor.async_accept(quiet);
      if (error) {
        co_return;
      }
      self->look();
      if (self->context == nullptr) {
        continue;
      }
      asio::ssl::stream<asio::ip::tcp::socket> stream(std::move(socket), *self->context);
      co_await stream.async_handshake(asio::ssl::stream_base::server, quiet);
    }
  }
  void look() {
    std::error_code error;
    auto const size = std::filesystem::file_size(file, error);
    if (error || size == seen) {
      return;
    }
    seen = size;
    auto made = net::make_server_context(
        {{folder + "/tenant-7/live/fullchain.pem", folder + "/tenant-7/live/privkey.pem"}, {}, {}, false});
    if (made) {
      context = *made;
    }
  }
  asio::ip::tcp::acceptor acceptor;
  std::string folder, file;
  std::uintmax_t seen = 0;
  net::TlsContext context;
};

// The parameter: whether Navigator tells what changed, or the whole list each time as older ones do.
class AgentTest : public testing::TestWithParam<bool> {
 protected:
  AgentTest() : navigator(loop.get_executor(), router, {}) {
    router.add("GET", "/v1/edge/bundles", [this](net::HttpRequest request) { return list(std::move(request)); });
    router.add("GET", "/v1/edge/bundles/{id}",
               [this](net::HttpRequest request) { return give(request.parameters["id"]); });
    router.add("POST", "/v1/edge/acknowledgments", [this](net::HttpRequest request) { return take(request.body); });
    EXPECT_TRUE(navigator.listen_tcp("127.0.0.1:0"));
    web = std::make_shared<WebServer>(loop, folder.file("bundles"), folder.file("reloads"));
    net::spawn(loop.get_executor(), "web", WebServer::serve(web));
    settings.navigators = {"http://127.0.0.1:" + std::to_string(navigator.local_port())};
    settings.directory = folder.file("bundles");
    settings.nginx_file = folder.file("tenants.conf");
    settings.reload = {"/bin/sh", "-c", "echo x >> " + folder.file("reloads")};
    settings.probe_port = web->acceptor.local_endpoint().port();
    settings.long_poll = std::chrono::milliseconds(20);
    settings.retry_first = settings.retry_limit = std::chrono::milliseconds(10);
    settings.proof_deadline = std::chrono::milliseconds(3000);
    settings.reload_pace.burst = 100;
  }
  ~AgentTest() override {
    navigator.stop();
    web->acceptor.close();
  }

  static Bundle make(std::int64_t sequence, std::string const& id = "tenant-7", std::string const& label = "acme-tv") {
    test::TestCa const ca;
    test::KeyHandle const key = test::make_key();
    Bundle bundle;
    bundle.item = {id, label, {"*." + label + ".example", label + ".example"}, "", sequence};
    bundle.chain_pem = ca.chain(key.get(), {bundle.item.names});
    bundle.key_pem = test::key_pem(key.get());
    bundle.item.fingerprint = net::certificate_sha256(bundle.chain_pem).value();
    return bundle;
  }
  net::Task<net::HttpResponse> list(net::HttpRequest request) {
    ++lists;
    boost::json::object body{{"sequence", sequence}};
    boost::json::array items;
    if (GetParam()) {
      bool const known = told_sequence != 0 && request.query["since"] == std::to_string(told_sequence);
      applied = request.query.contains("applied") ? request.query["applied"] : applied;
      wholes += known ? 0 : 1;
      body["complete"] = !known;
      boost::json::array gone;
      for (auto const& [id, item] : told) {
        if (known && std::ranges::none_of(bundles, [&](Bundle const& one) { return one.item.id == id; })) {
          gone.emplace_back(id);
        }
      }
      for (Bundle const& bundle : bundles) {
        auto const before = told.find(bundle.item.id);
        if (!known || before == told.end() || before->second != bundle.item) {
          items.push_back(boost::json::parse(to_json(bundle.item)));
        }
      }
      body["gone"] = gone;
      told.clear();
      for (Bundle const& bundle : bundles) {
        told[bundle.item.id] = bundle.item;
      }
      told_sequence = sequence;
    } else {
      for (Bundle const& bundle : bundles) {
        items.push_back(boost::json::parse(to_json(bundle.item)));
      }
    }
    body["bundles"] = items;
    co_return broken ? net::HttpResponse::json(200, "{}") : net::HttpResponse::json(200, boost::json::serialize(body));
  }
  net::Task<net::HttpResponse> give(std::string id) {
    if (id == unavailable) {
      co_return net::HttpResponse::problem(503, "No", "its row does not open");
    }
    for (Bundle const& bundle : bundles) {
      if (bundle.item.id == id) {
        auto body = boost::json::parse(to_json(bundle.item)).as_object();
        body["chain_pem"] = bundle.chain_pem;
        body["key_pem"] = bundle.key_pem;
        co_return net::HttpResponse::json(200, boost::json::serialize(body));
      }
    }
    co_return net::HttpResponse::problem(404, "No", "no");
  }
  net::Task<net::HttpResponse> take(std::string body) {
    acknowledged.emplace_back(boost::json::parse(body).at("fingerprint").as_string());
    if (expired) {
      co_return net::HttpResponse::problem(409, "Not the certificate of this bundle", "expired");
    }
    co_return net::HttpResponse{204, {}, {}};
  }
  static net::Task<void> run(EdgeAgent& agent, std::shared_ptr<bool> ended) {
    co_await agent.run();
    *ended = true;
  }
  void start() {
    agent = std::make_unique<EdgeAgent>(loop.get_executor(), settings);
    ended = std::make_shared<bool>(false);
    net::spawn(loop.get_executor(), "agent", run(*agent, ended));
  }
  void stop() {
    agent->stop();
    ASSERT_TRUE(until([this] { return *ended; }));
  }
  bool until(std::function<bool()> const& condition) {
    auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition() && std::chrono::steady_clock::now() < end) {
      loop.restart();
      loop.run_one_for(std::chrono::milliseconds(100));
    }
    return condition();
  }
  std::string read(std::string const& path) const {
    std::ifstream stream(path);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  test::TemporaryFolder folder;
  asio::io_context loop;
  net::Router router;
  net::HttpServer navigator;
  std::shared_ptr<WebServer> web;
  AgentSettings settings;
  std::unique_ptr<EdgeAgent> agent;
  std::shared_ptr<bool> ended;
  std::vector<Bundle> bundles;
  std::int64_t sequence = 1;
  bool broken = false;
  std::string unavailable;                 // the id of a bundle that is listed and not given
  bool expired = false;                    // what is acknowledged
  std::map<std::string, BundleItem> told;  // what the last list said, of a Navigator that tells what changed
  std::int64_t told_sequence = 0;
  int wholes = 0;
  std::string applied;
  int lists = 0;
  std::vector<std::string> acknowledged;
};

}  // namespace edge
