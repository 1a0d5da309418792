#include "acme/edge/client/client.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace edge {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t items_max = 1000000;

base::Failure refused(std::string const& what, net::HttpResponse const& response) {
  return base::fail(errc::refused,
                    what + ": status " + std::to_string(response.status) + " " + response.body.substr(0, 200));
}

net::HttpClientSettings http_settings(ClientSettings const& settings) {
  net::HttpClientSettings http;
  http.tls = settings.tls;
  http.response_limit = 16U << 20U;
  http.user_agent = "sovereign-privateer/" SOVEREIGN_VERSION;
  return http;
}

}  // namespace

Client::Client(net::asio::any_io_executor executor, ClientSettings settings)
    : settings_(std::move(settings)), http_(std::move(executor), http_settings(settings_)) {}

std::string Client::answering() const {
  return answered_ ? settings_.navigators[navigator_] : std::string();
}

// Tries the Navigators in turn, beginning with the one that answered last; one that answers 5xx counts as down.
net::Task<base::Result<net::HttpResponse>> Client::call(std::string method, std::string target, std::string body,
                                                        milliseconds deadline) {
  base::Result<net::HttpResponse> result = base::fail(errc::refused, "no Navigator is configured");
  for (std::size_t tries = 0; tries < settings_.navigators.size() && !stopped_; ++tries) {
    net::HttpRequest request;
    request.method = method;
    request.body = body;
    if (!body.empty()) {
      request.headers.set("Content-Type", "application/json");
    }
    result = co_await http_.send(settings_.navigators[navigator_] + target, std::move(request), deadline);
    if (result && result->status < 500) {
      answered_ = true;
      co_return result;
    }
    answered_ = false;
    navigator_ = (navigator_ + 1) % settings_.navigators.size();
  }
  co_return result;
}

net::Task<base::Result<BundleList>> Client::ask(std::string target, milliseconds wait) {
  auto const response = co_await call("GET", std::move(target), std::string(), wait + settings_.call_deadline);
  if (!response) {
    co_return response.error();
  }
  if (response->status != 200) {
    // A Navigator that does not issue certificates has no list; perhaps the next one does.
    navigator_ = (navigator_ + 1) % settings_.navigators.size();
    answered_ = false;
    co_return refused("bundle list", *response);
  }
  auto list = parse_list(response->body);
  if (!list) {
    co_return base::fail(errc::bad_bundle, "bundle list: " + base::text(list.error()));
  }
  co_return std::move(*list);
}

net::Task<base::Result<ListNews>> Client::follow(bool applied, bool wait, milliseconds at_most) {
  bool const known = sequence_ != 0 && !reread_;
  milliseconds const pause = wait && known ? std::min(settings_.long_poll, at_most) : milliseconds(0);
  std::string target =
      "/v1/edge/bundles?since=" + std::to_string(sequence_) + "&wait_ms=" + std::to_string(pause.count()) + "&delta=1";
  target += applied && !reread_ ? "&applied=" + std::to_string(sequence_) : std::string();
  target += reread_ ? "&reread=1" : "";
  auto list = co_await ask(std::move(target), pause);
  if (!list) {
    co_return list.error();
  }
  ListNews news;
  if (list->complete) {
    auto const read = co_await read_all(std::move(*list));
    if (!read) {
      co_return read.error();
    }
    news.complete = true;
    co_return news;
  }
  for (BundleItem& item : list->bundles) {
    news.ids.push_back(item.id);
    std::string const id = item.id;
    items_[id] = std::move(item);
  }
  for (std::string const& id : list->gone) {
    news.ids.push_back(id);
    items_.erase(id);
  }
  sequence_ = list->sequence;
  reread_ = false;
  co_return news;
}

// The list's sequence is the first page's: what changed while the others were read comes by the next follow().
net::Task<base::Result<void>> Client::read_all(BundleList first) {
  Items items;
  std::int64_t const sequence = first.sequence;
  bool moved = false;
  BundleList page = std::move(first);
  for (;;) {
    for (BundleItem& item : page.bundles) {
      std::string const id = item.id;
      items[id] = std::move(item);
    }
    if (page.next == 0) {
      break;
    }
    if (stopped_) {  // half a list would read as "remove the rest"
      co_return base::fail(errc::refused, "bundle list: stopped while it was read");
    }
    if (items.size() > items_max) {
      co_return base::fail(errc::bad_bundle, "bundle list: more than " + std::to_string(items_max) + " bundles");
    }
    std::int64_t const after = page.next;
    auto next = co_await ask("/v1/edge/bundles?delta=1&after=" + std::to_string(after), milliseconds(0));
    if (!next) {
      co_return next.error();
    }
    if (!next->complete || (next->next != 0 && next->next <= after)) {
      co_return base::fail(errc::bad_bundle, "bundle list: its pages do not follow each other");
    }
    moved = moved || next->sequence != sequence;
    page = std::move(*next);
  }
  items_ = std::move(items);
  sequence_ = sequence;
  reread_ = moved;
  co_return base::Result<void>();
}

net::Task<base::Result<Bundle>> Client::fetch(BundleItem item) {
  auto const response = co_await call("GET", "/v1/edge/bundles/" + item.id, std::string(), settings_.call_deadline);
  if (!response) {
    co_return response.error();
  }
  if (response->status != 200) {
    co_return refused("bundle " + item.id, *response);
  }
  auto bundle = parse_bundle(response->body);
  if (!bundle) {
    co_return base::fail(errc::bad_bundle, "bundle " + item.id + ": " + base::text(bundle.error()));
  }
  // A certificate that was renewed between list and download comes with the next list.
  if (bundle->item != item) {
    co_return base::fail(errc::bad_bundle, "bundle " + item.id + " changed meanwhile");
  }
  if (auto const good = verify(*bundle); !good) {
    co_return good.error();
  }
  co_return std::move(*bundle);
}

net::Task<base::Result<void>> Client::acknowledge(BundleItem item) {
  boost::json::object body;
  body["id"] = item.id;
  body["fingerprint"] = item.fingerprint;
  body["sequence"] = item.sequence;
  std::string text = boost::json::serialize(body);
  auto const response = co_await call("POST", "/v1/edge/acknowledgments", std::move(text), settings_.call_deadline);
  if (!response) {
    co_return response.error();
  }
  if (response->status == 409) {
    co_return base::fail(errc::stale, "acknowledgment of " + item.id + ": " + response->body.substr(0, 200));
  }
  if (response->status != 204 && response->status != 200) {
    co_return refused("acknowledgment of " + item.id, *response);
  }
  co_return base::Result<void>();
}

}  // namespace edge
