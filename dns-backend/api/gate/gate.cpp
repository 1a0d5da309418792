#include "dns-backend/api/gate/gate.hpp"

#include "base/http/problem.hpp"
#include "base/process/log.hpp"
#include "base/store_thread/accompaniment.hpp"
#include "dns-backend/tokens/secret.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace api {
namespace {

namespace json = boost::json;
using net::HttpRequest;
using net::HttpResponse;

constexpr std::size_t key_max = 255;
constexpr char const* key_header = "Idempotency-Key";

bool changes_something(std::string const& method) {
  return method != "GET" && method != "HEAD" && method != "OPTIONS";
}

// Told by machines all the time: nobody's decision.
bool is_chatter(std::string const& pattern) {
  static std::set<std::string> const patterns{"/v1/verdicts", "/v1/reports", "/v1/edge/acknowledgments"};
  return patterns.contains(pattern);
}

std::string address_of(HttpRequest const& request) {
  std::string const& peer = request.peer.address;
  return request.peer.is_unix ? "unix" : peer.substr(0, peer.rfind(':'));
}

std::string actor_of(HttpRequest const& request) {
  if (!request.peer.token.empty()) {
    return "token:" + request.peer.token;
  }
  if (request.peer.is_unix) {
    return "unix";
  }
  if (!request.peer.certificate_name.empty()) {
    return "certificate:" + request.peer.certificate_name;
  }
  if (!request.headers.get("X-Api-User").empty()) {
    return "acme-dns:" + std::string(request.headers.get("X-Api-User").substr(0, 64));
  }
  return request.headers.get("X-API-Key").empty() ? "stranger" : "key";
}

// Whether it is known who that is before the route looks: a name in a header is not.
bool is_proved(std::string const& actor) {
  return actor == "unix" || actor.starts_with("token:") || actor.starts_with("certificate:");
}

HttpResponse too_often(int seconds) {
  HttpResponse response = HttpResponse::problem(429, "too many requests", "wait as long as Retry-After says");
  response.headers.set("Retry-After", std::to_string(seconds));
  return response;
}

// At most so many octets, cut before a character of UTF-8 and not within it.
std::string printable_text(std::string text, std::size_t most) {
  if (text.size() > most) {
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0U) == 0x80U) {
      --most;
    }
    text.resize(most);
  }
  return text;
}

// Of a refusal: what it said.
std::string detail_of(HttpResponse const& response) {
  constexpr std::size_t detail_max = 500;
  if (response.status < 400) {
    return {};
  }
  boost::system::error_code bad;
  json::value const body = json::parse(response.body, bad);
  auto const* const detail = !bad && body.is_object() ? body.get_object().if_contains("detail") : nullptr;
  return detail != nullptr && detail->is_string() ? printable_text(std::string(detail->get_string()), detail_max) : "";
}

// What a parser lets through in a target need not be text: octets outside of visible ASCII are percent-encoded.
std::string printable(std::string const& target) {
  std::string out;
  for (char const c : target) {
    out += c > ' ' && c < 0x7f ? std::string(1, c) : net::percent_encode(std::string_view(&c, 1));
  }
  return out;
}

// A header and its value: it is not there afterwards.
std::string take_off(net::Headers& headers, char const* name) {
  std::string value(headers.get(name));
  std::erase_if(headers.items, [name](auto const& item) { return net::Headers{{{item.first, "1"}}}.get(name) == "1"; });
  return value;
}

HttpResponse replay(audit::KeptAnswer const& kept) {
  if (kept.status == audit::answer_lost && !kept.body.empty()) {
    return net::problem_of(409, "the answer is not kept", key_header, kept.body, "another key for another request");
  }
  if (kept.status == audit::answer_lost) {
    return net::problem_of(
        409, "the answer is lost", key_header,
        "a request with this Idempotency-Key had changed something when the process ended before its answer",
        "look at what is there, and ask for what is missing with another key");
  }
  HttpResponse response;
  response.status = kept.status;
  response.body = kept.body;
  for (auto const& [name, value] : kept.headers) {
    response.headers.set(name, value);
  }
  response.headers.set("Idempotency-Replayed", "true");
  return response;
}

bool is_to_be_kept(HttpResponse const& response) {
  // A refusal changed nothing: it may be asked again, and another time of day may answer otherwise.
  return response.status < 300 && response.headers.get("Cache-Control") != "no-store";
}

// Leaves the set with the scope, also when the task is cancelled, which at the server's end may be after the gate went.
class AtWork {
 public:
  using Set = std::set<std::pair<std::string, std::string>>;
  AtWork(std::shared_ptr<Set> set, std::pair<std::string, std::string> item)
      : set_(std::move(set)), item_(std::move(item)) {
    set_->insert(item_);
  }
  ~AtWork() { set_->erase(item_); }
  AtWork(AtWork const&) = delete;
  AtWork& operator=(AtWork const&) = delete;

 private:
  std::shared_ptr<Set> set_;
  std::pair<std::string, std::string> item_;
};

}  // namespace

Gate::Gate(Dependencies const& dependencies, tokens::Tokens const& tokens, process::Metrics& metrics,
           GateSettings settings)
    : dependencies_(dependencies),
      tokens_(tokens),
      settings_(std::move(settings)),
      rate_(settings_.token),
      failures_(settings_.failures),
      changes_(settings_.changes),
      refused_(
          metrics.counter("navigator_api_refused_total", "Requests that the gate refused: wrong tokens, too often")) {}

void Gate::stand_around(net::Router& router) {
  router.around([this](HttpRequest request, net::RouteName route, net::Handler handler) {
    return pass(std::move(request), std::move(route), std::move(handler));
  });
}

std::int64_t Gate::now_ms() const {
  if (settings_.now_ms) {
    return settings_.now_ms();
  }
  auto const now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

void Gate::believe_client(HttpRequest& request, std::string const& pattern) const {
  std::string const client = take_off(request.headers, client_header);
  bool const replica = !request.peer.is_unix && dependencies_.admins.contains(request.peer.certificate_name);
  boost::system::error_code bad;
  auto const address = net::asio::ip::make_address(client, bad);
  if (replica && !bad) {
    request.peer.address = (address.is_v6() ? "[" + client + "]" : client) + ":0";
  }
  // An account of acme-dns is whoever asked the replica, as is who signs up: their deeds are not the replica's own.
  bool const other = !request.headers.get("X-Api-User").empty() || pattern == sign_up_path;
  if (replica && !client.empty() && bearer(request).empty() && other) {
    request.peer.certificate_name.clear();
  }
}

HttpResponse Gate::admit(HttpRequest& request, Asker& asker) {
  HttpResponse go_on;
  go_on.status = 0;
  std::string const secret = bearer(request);
  if (secret.empty()) {
    asker.actor = actor_of(request);
    return go_on;
  }
  auto const now = std::chrono::steady_clock::now();
  tokens::Token const* const token = tokens_.find(secret, now_ms());
  if (token == nullptr) {
    refused_.add();
    asker.actor = "wrong token";
    if (int const wait = failures_.take(address_of(request), now); wait != 0) {
      return too_often(wait);
    }
    HttpResponse response =
        HttpResponse::problem(401, "no such token", "the bearer token is unknown, expired or revoked");
    response.headers.set("WWW-Authenticate", "Bearer error=\"invalid_token\"");
    return response;
  }
  request.peer.token = token->id;
  // Whoever shows a token has its rights and no others: a replica passes tenants on under a certificate that may much.
  request.peer.certificate_name.clear();
  request.peer.address = request.peer.is_unix ? "unix" : request.peer.address;
  request.peer.is_unix = false;
  asker = {actor_of(request), token->tenant_id};
  // All tokens of a tenant together, because a tenant makes as many as it likes.
  std::string const counted = token->tenant_id != 0 ? "tenant " + std::to_string(token->tenant_id) : token->id;
  int wait = rate_.take(counted, now);
  if (wait == 0 && token->tenant_id != 0 && changes_something(request.method)) {
    wait = changes_.take(counted, now);
  }
  if (wait != 0) {
    refused_.add();
    return too_often(wait);
  }
  return go_on;
}

net::Task<HttpResponse> Gate::work(HttpRequest request, std::shared_ptr<Deed> deed, net::Handler handler) {
  net::Task<HttpResponse> task = handler(std::move(request));
  if (deed->companion == nullptr) {
    co_return co_await std::move(task);
  }
  auto companion = deed->companion;
  HttpResponse response = co_await database::accompanied(std::move(companion), std::move(task));
  deed->companion->take_leave();
  co_return response;
}

net::Task<HttpResponse> Gate::once(HttpRequest request, std::shared_ptr<Deed> deed, net::Handler handler) {
  std::string const key(request.headers.get("Idempotency-Key"));
  audit::UnderWay& about = deed->about;
  std::string const actor = about.entry.actor;
  if (key.empty() || !changes_something(request.method) || !is_proved(actor)) {
    deed->companion = about.audited && changes_something(request.method) ? audit::companion_of(about) : nullptr;
    co_return co_await work(std::move(request), std::move(deed), std::move(handler));
  }
  if (key.size() > key_max) {
    co_return net::problem_of(422, "the input is wrong", key_header, "Idempotency-Key has more than 255 characters",
                              "for instance a random UUID");
  }
  about.request = tokens::digest(request.method + "\n" + request.target + "\n" +
                                 std::string(request.headers.get("If-Match")) + "\n" + request.body);
  if (at_work_->contains({actor, key})) {
    co_return net::problem_of(409, "at work", key_header, "a request with this Idempotency-Key is not answered yet",
                              "the same again in a moment");
  }
  deed->mark = std::make_shared<AtWork>(at_work_, std::pair(actor, key));
  auto const kept = co_await audit::find_answer(dependencies_.store.thread(), actor, key, now_ms());
  if (!kept) {
    co_return HttpResponse::problem(503, "the store cannot be asked", kept.error().what());
  }
  if (kept->has_value()) {
    co_return (*kept)->request == about.request
        ? replay(**kept)
        : net::problem_of(422, "the input is wrong", key_header, "this Idempotency-Key was used for another request",
                          "a fresh one");
  }
  about.key = key;
  deed->companion = audit::companion_of(about);
  HttpResponse response = co_await work(std::move(request), deed, std::move(handler));
  if (is_to_be_kept(response)) {
    deed->answer =
        audit::KeptAnswer{actor, key, about.request, response.status, response.headers.items, response.body, now_ms()};
  }
  if (deed->answer && response.body.size() > audit::answer_body_max) {
    deed->answer->status = audit::answer_lost;
    deed->answer->headers.clear();
    deed->answer->body = "the request was done and answered with status " + std::to_string(response.status) +
                         "; that answer is larger than 16 KiB and not kept: look at what is there";
  }
  co_return response;
}

net::Task<void> Gate::remember(std::shared_ptr<Deed> deed, bool row) {
  bool const began = deed->companion != nullptr && deed->companion->committed();
  if (!began && !row && !deed->answer) {
    co_return;
  }
  audit::Entry const& entry = deed->about.entry;
  audit::Ending ending{entry.request_id, row ? std::optional(entry) : std::nullopt, deed->answer};
  if (auto const done = co_await audit::finish(dependencies_.store.thread(), std::move(ending)); !done) {
    process::log::error(
        "api", "{} method={} target={} error=\"{}\"",
        began ? "a change gets its row of the audit log at the next start only" : "a request is not in the audit log",
        entry.method, entry.target, done.error().what());
  }
}

net::Task<HttpResponse> Gate::pass(HttpRequest request, net::RouteName route, net::Handler handler) {
  std::string const request_id = tokens::random_text(10);
  if (dependencies_.primary != nullptr) {
    // Only what proves itself at the primary may go there under this replica's certificate: whatever else a request
    // carries, its route judges its rights here first.
    HttpResponse passed_on;
    if (!bearer(request).empty()) {
      passed_on = co_await forward(dependencies_, std::move(request));
    } else {
      passed_on = co_await handler(std::move(request));
    }
    if (passed_on.headers.get("Request-Id").empty()) {
      passed_on.headers.set("Request-Id", request_id);
    }
    co_return passed_on;
  }
  // A client that hangs up cancels what answers it. What began to change something is finished and remembered all the
  // same: each route's own deadlines bound it, also when the server stops.
  if (changes_something(request.method)) {
    co_await net::asio::this_coro::reset_cancellation_state(net::asio::disable_cancellation());
  }
  believe_client(request, route.pattern);
  constexpr std::size_t target_max = 1024;
  Asker asker;
  HttpResponse response = admit(request, asker);
  auto const deed = std::make_shared<Deed>();
  deed->about.audited = !is_chatter(route.pattern);
  audit::Entry& entry = deed->about.entry;
  entry = {0,
           now_ms(),
           asker.actor,
           asker.tenant_id,
           request.peer.is_unix ? "unix" : request.peer.address,
           request.method,
           printable(request.target.substr(0, target_max)),
           0,
           request_id,
           {}};
  bool const changes = changes_something(request.method);
  bool const known = response.status == 0;
  if (known) {
    response = co_await once(std::move(request), deed, std::move(handler));
  }
  response.headers.set("Request-Id", request_id);
  std::string const log_tenant = take_off(response.headers, log_tenant_header);
  std::string const log_reason = take_off(response.headers, log_reason_header);
  entry.tenant_id = log_tenant.empty() ? asker.tenant_id : std::strtoll(log_tenant.c_str(), nullptr, 10);
  entry.status = response.status;
  entry.detail = log_reason.empty() ? detail_of(response) : log_reason;
  // A stranger who is refused leaves no row: the log would be his to fill.
  // Nor does a tenant whose request came to nothing: the log keeps its rows for more than a year.
  bool const began = deed->companion != nullptr && deed->companion->committed();
  bool const stranger =
      !known || response.status == 429 || ((asker.tenant_id != 0 || !is_proved(asker.actor)) && response.status >= 400);
  bool const row = changes && deed->about.audited && (began || !stranger || !log_reason.empty());
  co_await remember(deed, row);
  co_return response;
}

}  // namespace api
