#include "dns-backend/commands/connection.hpp"

#include "base/http_client/http_client.hpp"
#include "base/process/metrics.hpp"
#include "dns-backend/api/api.hpp"
#include "dns-backend/api/steering/steering.hpp"
#include "dns-backend/commands/table.hpp"
#include "dns-backend/powerdns/powerdns.hpp"
#include "dns-backend/store/store.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>

#include <cstdio>
#include <optional>

namespace commands {
namespace {

namespace json = boost::json;

// The daemon itself gives up earlier (the route's own limit); this is for a daemon that hangs.
constexpr std::chrono::minutes deadline{15};
constexpr std::chrono::seconds report_every{2};

using Slot = std::optional<base::Result<net::HttpResponse>>;

net::Task<void> send_into(Slot& slot, net::HttpClient& client, std::string url, net::HttpRequest request,
                          net::Signal& done) {
  slot.emplace(co_await client.send(std::move(url), std::move(request), deadline));
  done.notify();
}

net::Task<void> dispatch_into(Slot& slot, net::Router const& router, net::HttpRequest request, net::Signal& done) {
  slot.emplace(co_await router.dispatch(std::move(request)));
  done.notify();
}

net::Task<void> report(std::string doing, net::Signal& done) {
  auto const begun = std::chrono::steady_clock::now();
  while (!co_await done.wait(report_every)) {
    auto const since = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begun);
    std::fprintf(stderr, "navigator: %s: %lld s\n", doing.c_str(), static_cast<long long>(since.count()));
  }
}

net::HttpClientSettings settings_for(Place const& place) {
  net::HttpClientSettings settings;
  if (place.remote) {
    settings.tls = place.remote->tls;
  }
  return settings;
}

bool no_daemon(base::Failure const& failure) {
  return failure.code == net::errc::refused || failure.code == net::errc::unresolved ||
         failure.code == boost::system::errc::no_such_file_or_directory;
}

// The store in this process with the daemon's routes over it.
struct Local {
  static base::Result<std::unique_ptr<Local>> open(Place const& place, net::asio::io_context& loop) {
    auto local = std::make_unique<Local>();
    auto store = store::Store::open(place.store_url, place.schemas, local->health, loop.get_executor());
    if (!store) {
      return store.error();
    }
    local->store = std::move(*store);
    local->api = std::make_unique<api::Dependencies>(api::Dependencies{*local->store, local->metrics});
    if (!place.primary_url.empty()) {
      // As the daemon of a replica has it: what was written here would vanish with the next change of the primary.
      local->store->set_read_only(true);
      net::HttpClientSettings settings;
      settings.tls = place.primary_tls;
      local->primary = std::make_unique<net::HttpClient>(loop.get_executor(), settings);
      local->api->primary = local->primary.get();
      local->api->primary_url = place.primary_url;
    }
    api::add_routes(local->router, *local->api);
    api::add_steering_routes(local->router, *local->api);
    local->powerdns_api = std::make_unique<powerdns::Dependencies>(powerdns::Dependencies{*local->api});
    powerdns::add_routes(local->router, *local->powerdns_api);
    return local;
  }

  pool::HealthTable health;
  process::Metrics metrics;
  std::unique_ptr<net::HttpClient> primary;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<api::Dependencies> api;
  std::unique_ptr<powerdns::Dependencies> powerdns_api;
  net::Router router;
};

}  // namespace

struct Connection::State {
  explicit State(Place const& place)
      : origin(place.remote ? place.remote->url : "unix:" + place.api_unix + ":"),
        shown(place.remote ? place.remote->url : place.api_unix),
        token(place.remote ? place.remote->token : ""),
        client(loop.get_executor(), settings_for(place)) {}

  base::Result<net::HttpResponse> call(net::HttpRequest request, std::string const& doing) {
    std::string const& body = request.body;
    if (!body.empty()) {
      request.headers.set("Content-Type", body.front() == '{' || body.front() == '[' ? "application/json" : "text/dns");
    }
    if (!token.empty()) {
      request.headers.set("Authorization", "Bearer " + token);
    }
    Slot slot;
    net::Signal done(loop.get_executor());
    if (!doing.empty()) {
      net::spawn(loop.get_executor(), "progress", report(doing, done));
    }
    if (local != nullptr) {
      request.peer.is_unix = true;
      net::spawn(loop.get_executor(), "api request", dispatch_into(slot, local->router, std::move(request), done));
    } else {
      std::string url = origin + request.target;
      net::spawn(loop.get_executor(), "api request", send_into(slot, client, std::move(url), std::move(request), done));
    }
    loop.restart();
    loop.run();
    if (!slot.has_value()) {
      return base::fail(net::errc::cancelled, "the request to " + shown + " ended without an answer");
    }
    return std::move(*slot);
  }

  std::string origin;  // what a target is put behind
  std::string shown;   // to people
  std::string token;   // empty: none
  net::asio::io_context loop{1};
  net::HttpClient client;
  std::unique_ptr<Local> local;  // set without a daemon
};

Connection::Connection(std::unique_ptr<State> state) : state_(std::move(state)) {}
Connection::~Connection() = default;

base::Result<std::unique_ptr<Connection>> Connection::open(Place const& place, Without without) {
  auto state = std::make_unique<State>(place);
  if (place.remote) {
    return std::unique_ptr<Connection>(new Connection(std::move(state)));  // NOLINT: private constructor
  }
  net::HttpRequest look;
  look.method = "GET";
  look.target = "/healthz";
  auto const alive = state->call(std::move(look), {});
  if (!alive && !no_daemon(alive.error())) {
    return alive.error();
  }
  if (!alive && without == Without::refuse) {
    return base::fail(net::errc::refused,
                      "no daemon answers on " + place.api_unix + "; start it with 'navigator serve'");
  }
  if (!alive) {
    auto local = Local::open(place, state->loop);
    if (!local) {
      return local.error();
    }
    state->local = std::move(*local);
  }
  return std::unique_ptr<Connection>(new Connection(std::move(state)));  // NOLINT: private constructor
}

base::Result<net::HttpResponse> Connection::call(std::string const& method, std::string const& target,
                                                 std::string const& body, std::string const& doing) {
  net::HttpRequest request;
  request.method = method;
  request.target = target;
  request.body = body;
  return state_->call(std::move(request), doing);
}

base::Result<net::HttpResponse> Connection::call(net::HttpRequest request, std::string const& doing) {
  return state_->call(std::move(request), doing);
}

std::string refusal_text(net::HttpResponse const& answer) {
  json::value const value = json_of(answer);
  std::string detail = "status " + std::to_string(answer.status);
  for (char const* const member : {"detail", "error"}) {
    auto const* const text = value.is_object() ? value.get_object().if_contains(member) : nullptr;
    if (text != nullptr && text->is_string()) {
      detail = std::string(text->get_string());
      break;
    }
  }
  while (!detail.empty() && detail.back() == '\n') {
    detail.pop_back();
  }
  return detail;
}

int say_refusal(net::HttpResponse const& answer) {
  return say(refusal_text(answer), answer.status == 422 || answer.status == 400 ? 2 : 1);
}

int call_once(Place const& place, Without without, std::string const& method, std::string const& target,
              std::string const& body, net::HttpResponse& answer) {
  auto const connection = Connection::open(place, without);
  if (!connection) {
    return say(connection.error().what(), 1);
  }
  auto given = (*connection)->call(method, target, body);
  if (!given) {
    return say(given.error().what(), 1);
  }
  answer = std::move(*given);
  return answer.status / 100 == 2 ? 0 : say_refusal(answer);
}

json::value json_of(net::HttpResponse const& answer) {
  boost::system::error_code bad;
  json::value value = json::parse(answer.body, bad);
  return bad ? json::value() : value;
}

int get_list(Place const& place, Without without, std::string const& target, char const* list, json::object& body) {
  bool const once = target.find("limit=") != std::string::npos;
  std::string const mark = target.find('?') == std::string::npos ? "?" : "&";
  json::array rows;
  std::string page = target;
  while (!page.empty()) {
    net::HttpResponse answer;
    if (int const failed = call_once(place, without, "GET", page, {}, answer); failed != 0) {
      return failed;
    }
    json::value const value = json_of(answer);
    auto const* const found = value.is_object() ? value.get_object().if_contains(list) : nullptr;
    if (found == nullptr || !found->is_array()) {
      return say("the answer to " + target + " cannot be read", 1);
    }
    rows.insert(rows.end(), found->get_array().begin(), found->get_array().end());
    body = value.get_object();
    auto const* const next = body.if_contains("next");
    bool const more = !once && next != nullptr && next->is_string();
    page = more ? target + mark + "cursor=" + net::percent_encode(next->get_string()) : std::string();
  }
  body[list] = std::move(rows);
  return 0;
}

int print_list(Place const& place, Output output, Without without, std::string const& target, char const* list,
               std::vector<std::pair<std::string, std::string>> const& columns) {
  json::object body;
  if (int const failed = get_list(place, without, target, list, body); failed != 0) {
    return failed;
  }
  if (output.json) {
    std::printf("%s\n", json::serialize(body).c_str());
    return 0;
  }
  std::fputs(table(body.at(list).as_array(), columns).c_str(), stdout);
  return 0;
}

}  // namespace commands
