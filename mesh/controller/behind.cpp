#include "mesh/controller/behind.hpp"

#include "base/process/log.hpp"
#include "mesh/world_store/catch_up.hpp"

namespace controller {
namespace {

namespace json = boost::json;
using net::HttpRequest;
using net::HttpResponse;

constexpr std::size_t shown_bytes_max = 4 * plan::world_size_limit;  // texts in JSON are escaped, twice

net::Task<HttpResponse> learn(Controller::State& state, HttpRequest request) {
  if (!is_member(state, request)) {
    co_return HttpResponse::problem(403, "not a member", "a certificate of a member is needed");
  }
  HttpResponse const nothing_new =
      HttpResponse::json(200, json::serialize(json::object{{"revision", state.world.document.revision}}));
  if (!state.behind.newest(now_seconds())) {
    co_return nothing_new;  // nobody was asked, or another was sooner
  }
  if (*state.learning) {
    auto busy = HttpResponse::problem(503, "busy", "another world is being learnt from");
    busy.headers.set("Retry-After", "1");
    co_return busy;
  }
  std::string const by = request.peer.certificate_name;
  auto const document = world_store::own_word(request.body, state.world_key.verify_key(), state.mesh);
  if (!document) {
    process::log::error("controller", "'{}' shows a world that is not taken: {}", by, document.error().what());
    co_return HttpResponse::problem(422, "not this controller's word", document.error().what());
  }
  if (!world_store::forgotten(state.world, document->revision)) {
    co_return nothing_new;
  }
  std::function<base::Result<world_store::Learnt>(database::Database&)> const work =
      [document = *document](database::Database& database) {
        return world_store::catch_up(database, document, now_seconds());
      };
  *state.learning = true;
  auto const end = [learning = state.learning](void*) { *learning = false; };
  std::unique_ptr<void, decltype(end)> const turn(&state, end);
  auto const learnt = co_await state.change<world_store::Learnt>(work);
  if (!learnt) {
    co_return HttpResponse::problem(500, learnt.error().code.message(), learnt.error().detail);
  }
  process::log::warning("controller", "'{}' showed revision {}, which this controller signed. {}", by,
                        document->revision, sentence(*learnt));
  state.behind.clear();
  co_return HttpResponse::json(200, json::serialize(json::object{{"revision", learnt->revision}}));
}

}  // namespace

std::optional<HttpResponse> answer_behind(Controller::State& state, HttpRequest const& request, std::int64_t since) {
  if (!world_store::forgotten(state.world, since)) {
    return std::nullopt;
  }
  auto const& by = request.peer.certificate_name;
  auto const revision = state.world.document.revision;
  if (state.behind.add(by, since, now_seconds())) {
    process::log::error("controller",
                        "'{}' has seen revision {}, and this store knows nothing of it (it is at {}): it was put back "
                        "from an older copy. Nodes are asked to show what they have",
                        by, since, revision);
  }
  auto const detail = "this store is at revision " + std::to_string(revision) + " and knows nothing of " +
                      std::to_string(since) + ": POST the newest world to /v1/world";
  auto answer = HttpResponse::json(
      409, json::serialize(json::object{
               {"title", "behind"}, {"status", 409}, {"detail", detail}, {"revision", revision}, {"seen", since}}));
  answer.headers.set("Content-Type", "application/problem+json");
  return answer;
}

void add_behind_routes(Controller::State& state) {
  state.nodes_router.add("POST", "/v1/world",
                         [&state](HttpRequest request) { return learn(state, std::move(request)); },
                         {.body = shown_bytes_max});
}

json::value behind_json(Controller::State const& state) {
  auto const claim = state.behind.newest(now_seconds());
  return claim ? json::value(json::object{{"seen", claim->seen}, {"by", claim->by}}) : json::value(nullptr);
}

}  // namespace controller
