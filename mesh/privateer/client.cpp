// Commands that talk to a daemon: over its unix socket, or once over HTTPS to join.
#include "mesh/privateer/commands.hpp"

#include "base/http_client/http_client.hpp"
#include "base/process/service.hpp"
#include "mesh/enrolment/enroller.hpp"
#include "mesh/privateer/run.hpp"
#include "mesh/showing/status_text.hpp"
#include "mesh/showing/world_text.hpp"

#include <boost/json.hpp>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <optional>

namespace privateer {
namespace {

namespace json = boost::json;

constexpr std::chrono::milliseconds deadline{10000};

struct Call {
  std::string socket;
  std::string daemon;  // "agent": what to start when nobody answers
  std::string method = "GET";
  std::string target;
  std::string body;
};

net::Task<int> call_main(net::asio::any_io_executor executor, Call call, std::string* out) {
  net::HttpClient client(executor, {});
  net::HttpRequest request;
  request.method = call.method;
  request.body = call.body;
  if (!call.body.empty()) {
    request.headers.set("Content-Type", "application/json");
  }
  auto const answer = co_await client.send("unix:" + call.socket + ":" + call.target, std::move(request), deadline);
  if (!answer) {
    std::cerr << "privateer: the " << call.daemon << " does not answer on " << call.socket << " ("
              << answer.error().what() << "); is 'privateer " << call.daemon << "' running?\n";
    co_return exit_failed;
  }
  if (answer->status / 100 != 2) {
    std::cerr << "privateer: " << showing::problem_text(answer->body) << "\n";
    co_return answer->status == 422 ? exit_bad_input : exit_failed;
  }
  *out = answer->body;
  co_return exit_done;
}

// The body of a successful answer, or the exit code.
int ask(Call const& call, std::string& out) {
  return run_until_done("command",
                        [&](net::asio::any_io_executor executor, Keep&) { return call_main(executor, call, &out); });
}

Call to_controller(Settings const& settings, std::string method, std::string target, std::string body = {}) {
  return {settings.serve_unix, "controller", std::move(method), std::move(target), std::move(body)};
}

std::int64_t wall_clock_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

net::Task<int> join_main(std::shared_ptr<Settings const> settings, enrolment::Token token, std::string operator_name) {
  enrolment::JoinSettings wanted;
  wanted.controller_url = settings->controller_url;
  wanted.state_directory = settings->state;
  wanted.as_operator = !operator_name.empty();
  wanted.node = wanted.as_operator ? operator_name : settings->node;
  auto const name = wanted.node;
  auto const joined = co_await enrolment::join(std::move(wanted), std::move(token));
  if (!joined) {
    std::cerr << "privateer: " << joined.error().what() << "\n";
    co_return exit_failed;
  }
  std::cout << name << " joined"
            << (operator_name.empty() ? "; start it with 'privateer agent'\n" : " as an operator\n");
  co_return exit_done;
}

}  // namespace

int join(Settings const& settings, std::string const& token_text, std::string const& operator_name) {
  auto const token = enrolment::Token::parse(token_text);
  if (!token) {
    std::cerr << "privateer: " << token.error().what() << "\n";
    return exit_bad_input;
  }
  if (settings.controller_url.empty()) {
    std::cerr << "privateer: the settings have no controller.url to join at\n";
    return exit_bad_input;
  }
  std::error_code error;
  std::filesystem::create_directories(settings.state, error);
  if (error) {
    std::cerr << "privateer: cannot make " << settings.state << ": " << error.message() << "\n";
    return exit_failed;
  }
  auto const shared = std::make_shared<Settings const>(settings);
  return run_until_done("join",
                        [&](net::asio::any_io_executor, Keep&) { return join_main(shared, *token, operator_name); });
}

int token_create(Settings const& settings, TokenInput const& input) {
  json::object body{{"lifetime_s", input.lifetime_s}, {"uses", input.uses}, {"purpose", input.purpose}};
  for (auto const& [key, value] : {std::pair("node", input.node), std::pair("role", input.role),
                                   std::pair("segment", input.segment), std::pair("address", input.address)}) {
    if (!value.empty()) {
      body[key] = value;
    }
  }
  std::string answer;
  if (int const code = ask(to_controller(settings, "POST", "/v1/tokens", json::serialize(body)), answer); code != 0) {
    return code;
  }
  boost::system::error_code error;
  auto const value = json::parse(answer, error);
  auto const* token = !error && value.is_object() ? value.get_object().if_contains("token") : nullptr;
  if (token == nullptr || !token->is_string()) {
    std::cerr << "privateer: the controller's answer holds no token\n";
    return exit_failed;
  }
  std::cout << std::string(token->get_string()) << "\n";
  return exit_done;
}

int token_list(Settings const& settings, bool as_json) {
  std::string answer;
  int const code = ask(to_controller(settings, "GET", "/v1/tokens"), answer);
  if (code == exit_done) {
    std::cout << (as_json ? answer + "\n" : showing::tokens_text(answer, wall_clock_s()));
  }
  return code;
}

int token_revoke(Settings const& settings, std::string const& id) {
  std::string answer;
  return ask(to_controller(settings, "DELETE", "/v1/tokens/" + id), answer);
}

int node_list(Settings const& settings, bool as_json) {
  std::string answer;
  int const code = ask(to_controller(settings, "GET", "/v1/nodes"), answer);
  if (code == exit_done) {
    std::cout << (as_json ? answer + "\n" : showing::nodes_text(answer));
  }
  return code;
}

int node_remove(Settings const& settings, std::string const& name) {
  std::string answer;
  int const code = ask(to_controller(settings, "DELETE", "/v1/nodes/" + name), answer);
  if (code == exit_done) {
    std::cout << name << " is removed: nodes and Navigators that hear of it (" << name
              << "'s certificates are on ca.crl) refuse it within seconds, whoever does not when its certificate ends, "
                 "within 72 hours\n";
  }
  return code;
}

int node_drain(Settings const& settings, std::string const& name, bool draining) {
  std::string answer;
  return ask(to_controller(settings, draining ? "POST" : "DELETE", "/v1/nodes/" + name + "/drain"), answer);
}

int rotate(Settings const& settings, std::string const& node) {
  std::string answer;
  return ask(to_controller(settings, "POST", node.empty() ? "/v1/rotation" : "/v1/nodes/" + node + "/rotation"),
             answer);
}

int topology_set(Settings const& settings, std::string const& file) {
  auto const text = process::read_file(file);
  if (!text) {
    std::cerr << "privateer: " << text.error().what() << "\n";
    return exit_bad_input;
  }
  std::string answer;
  int const code = ask(to_controller(settings, "PUT", "/v1/topology", *text), answer);
  if (code == exit_done) {
    std::cout << answer << "\n";
  }
  return code;
}

int world_show(Settings const& settings, bool as_json) {
  std::string answer;
  int const code = ask(to_controller(settings, "GET", "/v1/world"), answer);
  if (code == exit_done) {
    std::cout << (as_json ? answer + "\n" : showing::world_text(answer));
  }
  return code;
}

int status(Settings const& settings, bool as_json) {
  std::string answer;
  int const code = ask({settings.agent_unix, "agent", "GET", "/v1/status", {}}, answer);
  if (code != exit_done) {
    return code;
  }
  std::cout << (as_json ? answer + "\n" : showing::status_text(answer));
  boost::system::error_code error;
  auto const value = json::parse(answer, error);
  auto const* order = !error && value.is_object() ? value.get_object().if_contains("in_order") : nullptr;
  return order != nullptr && order->is_bool() && order->get_bool() ? exit_done : exit_failed;
}

}  // namespace privateer
