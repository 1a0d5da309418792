// An examination of all nodes at once, for `privateer doctor --all`: who asks, and what the nodes say.
#include "mesh/controller/state.hpp"

#include <boost/json.hpp>

#include <charconv>

namespace controller {
namespace {

namespace json = boost::json;
using net::HttpRequest;
using net::HttpResponse;

std::map<std::string, std::int64_t> heard_s(Controller::State const& state) {
  std::map<std::string, std::int64_t> out;
  for (auto const& node : state.world.members) {
    auto const found = state.heard_s.find(node);
    out[node] = found == state.heard_s.end() ? 0 : found->second;
  }
  return out;
}

net::Task<HttpResponse> examine(Controller::State& state, examinations::Book::Asker asker) {
  auto const expected = examinations::expected(heard_s(state), now_seconds());
  auto const before = state.examinations.number();
  if (state.examinations.ask(now_seconds(), std::chrono::steady_clock::now(), asker, expected) != before) {
    state.changed.notify();
  }
  // Should another have begun before this turn came, then that one is waited for.
  while (!state.examinations.complete(expected)) {
    auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(state.examinations.until() -
                                                                            std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      break;
    }
    bool const somebody = co_await state.found.wait(left);
    if (!somebody || *state.stopped) {
      break;
    }
  }
  co_return HttpResponse::json(200, state.examinations.report(heard_s(state), now_seconds()));
}

net::Task<HttpResponse> refuse() {
  co_return HttpResponse::problem(403, "not a member", "a certificate of a platform node or of an operator is needed");
}

net::Task<HttpResponse> take(Controller::State& state, HttpRequest request) {
  auto const asked = request.query.find("number");
  std::int64_t number = 0;
  if (asked != request.query.end()) {
    std::from_chars(asked->second.data(), asked->second.data() + asked->second.size(), number);
  }
  boost::system::error_code bad;
  json::value body = json::parse(request.body, bad);
  if (bad || !body.is_object()) {
    co_return HttpResponse::problem(400, "bad request", "the body is no JSON object");
  }
  if (state.examinations.take(number, request.peer.certificate_name, std::move(body.get_object()))) {
    state.found.notify();
  }
  co_return HttpResponse::text(204, "");
}

}  // namespace

void add_examination_routes(Controller::State& state) {
  state.operators_router.add("POST", "/v1/examination", [&state](HttpRequest const&) {
    return examine(state, examinations::Book::Asker::an_operator);
  });
  state.nodes_router.add("POST", "/v1/examination", [&state](HttpRequest const& request) {
    if (is_operator(state, request)) {
      return examine(state, examinations::Book::Asker::an_operator);
    }
    return is_platform_node(state, request) ? examine(state, examinations::Book::Asker::a_node) : refuse();
  });
  state.nodes_router.add("POST", "/v1/findings", [&state](HttpRequest request) {
    return is_member(state, request) ? take(state, std::move(request)) : refuse();
  });
}

}  // namespace controller
