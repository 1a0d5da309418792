// A whole controller on loopback, and nodes that join it.
//
// Threads: the test's own.
#pragma once

#include "mesh/controller/controller.hpp"

#include "base/http_client/http_client.hpp"
#include "base/process/service.hpp"
#include "mesh/enrolment/enroller.hpp"
#include "mesh/enrolment/registry.hpp"
#include "mesh/internal_ca/credentials.hpp"
#include "mesh/internal_ca/issuing.hpp"
#include "mesh/plan/world.hpp"
#include "mesh/signed_world/signed_world.hpp"
#include "mesh/world_store/world_store.hpp"

#include "tests/support/run_task.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <filesystem>
#include <optional>
#include <set>

namespace controller_tests {

namespace json = boost::json;
using namespace std::chrono_literals;
using testing::HasSubstr;

inline std::string topology(std::string const& more_nodes = "") {
  return "name: test\ndomain: stream.example\nmesh: {prefix4: 10.200.0.0/16, prefix6: fd00:c0de::/48, shape: full}\n"
         "sites:\n  - {name: ams, provider: north}\n"
         "nodes:\n"
         "  - {name: ams-1, site: ams, role: central, underlay: [192.0.2.1]}\n"
         "  - {name: ams-2, site: ams, role: edge, underlay: [192.0.2.2]}\n" +
         more_nodes;
}

class ControllerTest : public testing::Test {
 protected:
  ControllerTest() {
    EXPECT_TRUE(process::write_file_atomically(folder_.file("topology.yaml"), topology(), 0644));
    start();
  }
  ~ControllerTest() override {
    if (controller_) {
      controller_->stop();
    }
    loop_.restart();
    loop_.run_for(5s);  // unwinds what was cancelled
  }

  void start(std::string const& topology_file = "topology.yaml", bool root_elsewhere = false) {
    controller::ControllerSettings settings;
    settings.root_elsewhere = root_elsewhere;
    settings.state = folder_.file("controller");
    settings.topology_file = topology_file.empty() ? "" : folder_.file(topology_file);
    settings.listen = "127.0.0.1:0";
    settings.unix_path = folder_.file("admin.sock");
    auto opened = controller::Controller::open(loop_.get_executor(), settings);
    ASSERT_TRUE(opened) << opened.error().what();
    controller_ = std::move(*opened);
  }

  void restart_without(std::string const& file) {
    controller_->stop();
    controller_.reset();
    std::filesystem::remove(folder_.file("controller/" + file));
    start();
  }

  std::string url() const { return "https://127.0.0.1:" + std::to_string(controller_->port()); }

  net::HttpResponse admin(std::string const& method, std::string const& target, std::string const& body = "") {
    net::HttpClient client(loop_.get_executor(), {});
    net::HttpRequest request;
    request.method = method;
    request.body = body;
    auto const answer =
        test::run_task(loop_, client.send("unix:" + folder_.file("admin.sock") + ":" + target, request, 20s));
    EXPECT_TRUE(answer) << answer.error().what();
    return answer ? *answer : net::HttpResponse{0, {}, ""};
  }

  enrolment::Token token(std::string const& terms = "{}") {
    auto const answer = admin("POST", "/v1/tokens", terms);
    EXPECT_EQ(answer.status, 201) << answer.body;
    return enrolment::Token::parse(json::parse(answer.body).at("token").as_string()).value();
  }

  enrolment::JoinSettings node(std::string const& name) {
    std::filesystem::create_directories(folder_.file(name));
    enrolment::JoinSettings settings;
    settings.controller_url = url();
    settings.state_directory = folder_.file(name);
    settings.node = name;
    return settings;
  }

  base::Result<void> join(std::string const& name, enrolment::Token const& token) {
    return test::run_task(loop_, enrolment::join(node(name), token));
  }

  std::unique_ptr<net::HttpClient> client_of(std::string const& name) {
    enrolment::NodeFiles const files(folder_.file(name));
    net::HttpClientSettings settings;
    settings.tls.ca_file = files.ca;
    settings.tls.server_name = "controller.internal";
    settings.tls.identity = net::Identity{files.certificate, files.tls_key};
    return std::make_unique<net::HttpClient>(loop_.get_executor(), settings);
  }

  net::HttpResponse ask(net::HttpClient& client, std::string const& target, std::string const& method = "GET",
                        std::string const& body = "") {
    net::HttpRequest request;
    request.method = method;
    request.body = body;
    auto const answer = test::run_task(loop_, client.send(url() + target, request, 20s));
    EXPECT_TRUE(answer) << answer.error().what();
    return answer ? *answer : net::HttpResponse{0, {}, ""};
  }

  plan::WorldDocument world(net::HttpClient& client) {
    auto const answer = ask(client, "/v1/world?since=0");
    EXPECT_EQ(answer.status, 200) << answer.body;
    return opened(answer.body);
  }
  // What the controller said, held against the key that tokens carry; the date is not compared.
  plan::WorldDocument opened(std::string const& body) {
    auto const pin =
        signed_world::Pin{signed_world::VerifyKey::from_hex(token().world_key).value(),
                          std::string(json::parse(admin("GET", "/v1/status").body).at("mesh").as_string()), 0};
    auto const signed_one = signed_world::parse_signed_world(body).value();
    auto document = signed_world::open_world(signed_one, pin, 4'000'000'000).value();
    EXPECT_GT(document.issued_at_s, 0);
    document.issued_at_s = 0;
    return document;
  }

  // Starts a long poll whose answer appears in the returned slot.
  std::shared_ptr<std::optional<net::HttpResponse>> poll(net::HttpClient& client, std::int64_t since) {
    auto slot = std::make_shared<std::optional<net::HttpResponse>>();
    auto const keep = [slot, this](std::exception_ptr, base::Result<net::HttpResponse> answer) {
      *slot = answer ? *answer : net::HttpResponse{0, {}, answer.error().what()};
      answered_.notify();
    };
    boost::asio::co_spawn(
        loop_, client.send(url() + "/v1/world?since=" + std::to_string(since) + "&wait_ms=30000", {}, 60s), keep);
    return slot;
  }
  void until_answered(std::shared_ptr<std::optional<net::HttpResponse>> const& slot) {
    if (!*slot) {
      EXPECT_TRUE(test::run_task(loop_, answered_.wait(20s)));
    }
    ASSERT_TRUE(*slot);
  }

  test::TemporaryFolder folder_;
  boost::asio::io_context loop_{1};
  net::Signal answered_{loop_.get_executor()};
  std::unique_ptr<controller::Controller> controller_;
};

}  // namespace controller_tests
