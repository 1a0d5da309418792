#include "acme/distribution/distribution.hpp"

#include "acme/crypto/encoding.hpp"
#include "acme/keyring/errc.hpp"
#include "base/http/problem.hpp"
#include "base/pages/pages.hpp"
#include "base/process/log.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>

namespace acme {
namespace {

namespace json = boost::json;
using net::HttpRequest;
using net::HttpResponse;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr char const* component = "acme";
constexpr milliseconds wait_limit{60000};
constexpr std::size_t page_max = 2000;              // bundles: half a megabyte of JSON
constexpr std::size_t whole_max = 10000;            // that agents without deltas read
constexpr std::size_t certificates_default = 1000;  // of a page for administrators

json::object item_of(EdgeBundle const& bundle) {
  json::object item;
  item["id"] = bundle.id;
  item["tenant"] = bundle.tenant;
  item["names"] = json::value_from(bundle.names);
  item["fingerprint"] = bundle.fingerprint;
  item["sequence"] = bundle.sequence;
  if (bundle.leaving) {
    item["leaving"] = true;
  }
  return item;
}

std::int64_t number(HttpRequest const& request, std::string const& key) {
  auto const found = request.query.find(key);
  std::int64_t value = 0;
  if (found != request.query.end()) {
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
  }
  return value;
}

// Empty for a peer without a client certificate.
std::string edge_of(HttpRequest const& request) {
  return request.peer.certificate_name;
}

HttpResponse not_an_edge() {
  return HttpResponse::problem(403, "Not an edge",
                               "Certificates are given to nodes that show their client certificate");
}

HttpResponse unavailable(base::Failure const& failure) {
  process::log::warning(component, "distribution failed error=\"{}\"", failure.what());
  return HttpResponse::problem(503, "Store not available", failure.what());
}

// Of a bundle's id that the fleet knows: "tenant-7", "tenant-7-12".
std::int64_t tenant_of(std::string const& id) {
  std::int64_t tenant_id = 0;
  std::size_t const begin = std::min(id.size(), id.find('-') + 1);
  std::from_chars(id.data() + begin, id.data() + id.size(), tenant_id);
  return tenant_id;
}

struct AcknowledgmentBody {
  std::string id;
  std::string fingerprint;
  std::int64_t sequence = 0;
};

// All problems of the body at once.
boost::system::result<AcknowledgmentBody, base::Problems> parse_acknowledgment(std::string const& text) {
  base::Problems problems;
  auto const add = [&problems](std::string path, std::string message) {
    problems.push_back({{"request body", 0, 0}, std::move(path), std::move(message), {}});
  };
  boost::system::error_code error;
  json::value const value = json::parse(text, error);
  if (error || !value.is_object()) {
    add({}, "is not a JSON object");
    return problems;
  }
  AcknowledgmentBody body;
  for (auto const& [key, target] : {std::pair<char const*, std::string*>{"id", &body.id},
                                    std::pair<char const*, std::string*>{"fingerprint", &body.fingerprint}}) {
    json::value const* const field = value.as_object().if_contains(key);
    if (field != nullptr && field->is_string() && field->as_string().size() <= 128) {
      target->assign(field->as_string().begin(), field->as_string().end());
    } else {
      add(key, "is not a text of at most 128 octets");
    }
  }
  json::value const* const sequence = value.as_object().if_contains("sequence");
  if (sequence != nullptr && sequence->is_int64() && sequence->as_int64() > 0) {
    body.sequence = sequence->as_int64();
  } else {
    add("sequence", "is not a positive number");
  }
  if (!problems.empty()) {
    return problems;
  }
  return body;
}

json::object list_of(Fleet const& fleet, std::string const& edge) {
  Fleet::Page const all = fleet.page(edge, 0, fleet.size(edge) + 1);
  json::array items;
  std::ranges::transform(all.bundles, std::back_inserter(items), item_of);
  return {{"sequence", fleet.sequence(edge)}, {"bundles", std::move(items)}};
}

json::object page_of(Fleet const& fleet, std::string const& edge, std::int64_t after) {
  Fleet::Page const page = fleet.page(edge, after, page_max);
  json::array items;
  std::ranges::transform(page.bundles, std::back_inserter(items), item_of);
  json::object body{{"sequence", fleet.sequence(edge)}, {"complete", true}, {"bundles", std::move(items)}};
  body["gone"] = json::array();
  if (page.next != 0) {
    body["next"] = page.next;
  }
  return body;
}

json::object delta_of(Fleet const& fleet, std::string const& edge, std::int64_t since, bool reread) {
  auto const delta = fleet.changed_since(edge, since, reread);
  if (!delta || delta->bundles.size() + delta->gone.size() > page_max) {
    return page_of(fleet, edge, 0);
  }
  json::array items;
  std::ranges::transform(delta->bundles, std::back_inserter(items), item_of);
  return {{"sequence", fleet.sequence(edge)},
          {"complete", false},
          {"bundles", std::move(items)},
          {"gone", json::value_from(delta->gone)}};
}

}  // namespace

Distribution::Distribution(net::asio::any_io_executor executor, store::Store& store, vault::Vault& vault,
                           std::function<bool(HttpRequest const&)> is_admin,
                           std::function<store::Revision()> everywhere)
    : executor_(executor),
      vault_(vault),
      is_admin_(std::move(is_admin)),
      following_(executor, store, vault, std::move(everywhere), [this](Fleet::Edges const& edges) { wake(edges); }) {}

void Distribution::add_routes(net::Router& router) {
  router.add("GET", "/v1/edge/bundles", [this](HttpRequest request) { return list(std::move(request)); });
  router.add("GET", "/v1/edge/bundles/{id}", [this](HttpRequest request) { return bundle(std::move(request)); });
  router.add("POST", "/v1/edge/acknowledgments",
             [this](HttpRequest request) { return acknowledge(std::move(request)); });
  router.add("GET", "/v1/certificates", [this](HttpRequest request) { return certificates(std::move(request)); });
}

void Distribution::stop() {
  stopped_ = true;
  following_.stop();
  for (auto const& [edge, waiting] : waiting_) {
    if (auto const signal = waiting.lock()) {
      signal->notify();
    }
  }
}

std::shared_ptr<net::Signal> Distribution::signal_of(std::string const& edge) {
  std::weak_ptr<net::Signal>& known = waiting_[edge];
  auto signal = known.lock();
  if (signal == nullptr) {
    std::erase_if(waiting_, [&edge](auto const& item) { return item.first != edge && item.second.expired(); });
    signal = std::make_shared<net::Signal>(executor_);
    waiting_[edge] = signal;
  }
  return signal;
}

void Distribution::wake(Fleet::Edges const& edges) {
  for (std::string const& edge : edges) {
    auto const found = waiting_.find(edge);
    if (auto const signal = found == waiting_.end() ? nullptr : found->second.lock()) {
      signal->notify();
    }
  }
}

net::Task<HttpResponse> Distribution::list(HttpRequest request) {
  std::string const edge = edge_of(request);
  if (edge.empty()) {
    co_return not_an_edge();
  }
  bool const is_delta = number(request, "delta") == 1;
  bool const reread = number(request, "reread") == 1;
  std::int64_t const since = number(request, "since");
  std::int64_t const after = number(request, "after");
  std::int64_t const applied = is_delta ? number(request, "applied") : since;
  milliseconds const wait = std::clamp(milliseconds(number(request, "wait_ms")), milliseconds(0), wait_limit);
  auto const end = Clock::now() + wait;
  if (applied != 0) {
    std::string name = edge;
    co_await following_.heard(std::move(name), applied);
  }
  auto const signal = signal_of(edge);
  for (;;) {
    if (auto const caught = co_await following_.catch_up(); !caught) {
      co_return unavailable(caught.error());
    }
    Fleet const& fleet = following_.fleet();
    if (is_delta && after > 0) {
      co_return HttpResponse::json(200, json::serialize(page_of(fleet, edge, after)));
    }
    auto const left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
    if (fleet.sequence(edge) == since && !reread && left > milliseconds(0) && !stopped_) {
      co_await signal->wait(left);
      continue;
    }
    if (is_delta) {
      co_return HttpResponse::json(200, json::serialize(delta_of(fleet, edge, since, reread)));
    }
    if (fleet.size(edge) > whole_max) {
      co_return net::problem_of(400, "List too long", "delta",
                                "this edge has " + std::to_string(fleet.size(edge)) + " bundles",
                                "ask with delta=1, as agents of this version do");
    }
    co_return HttpResponse::json(200, json::serialize(list_of(fleet, edge)));
  }
}

net::Task<HttpResponse> Distribution::bundle(HttpRequest request) {
  std::string const edge = edge_of(request);
  if (edge.empty()) {
    co_return not_an_edge();
  }
  if (auto const caught = co_await following_.catch_up(); !caught) {
    co_return unavailable(caught.error());
  }
  auto const found = following_.fleet().find(edge, request.parameters["id"]);
  if (!found) {
    // The same answer for "does not exist" and "not yours".
    co_return HttpResponse::problem(404, "No such bundle", "No bundle of this id is for " + edge);
  }
  auto const unsealed = co_await vault_.unsealed_bundle(found->subject_id, found->sequence);
  if (!unsealed && unsealed.error().code == vault::errc::not_found) {
    co_return HttpResponse::problem(404, "No such bundle", "The bundle is being replaced");
  }
  if (!unsealed && unsealed.error().code == keyring::errc::sealed) {
    // The edge asks again and again, and keeps what it has meanwhile.
    if (damaged_.emplace(found->subject_id, found->sequence).second) {
      process::log::error(component, "a kept key is damaged and given to nobody: order anew id={} error=\"{}\"",
                          found->id, unsealed.error().what());
    }
    co_return HttpResponse::problem(503, "Damaged key", "The key of " + found->id + " cannot be opened");
  }
  if (!unsealed) {
    co_return unavailable(unsealed.error());
  }
  json::object item = item_of(*found);
  item["chain_pem"] = unsealed->chain_pem;
  item["key_pem"] = unsealed->key_pem;
  process::log::info(component, "bundle given edge={} id={} fingerprint={}", edge, found->id,
                     unsealed->row.fingerprint);
  HttpResponse response = HttpResponse::json(200, json::serialize(item));
  response.headers.set("Cache-Control", "no-store");  // a private key
  co_return response;
}

net::Task<HttpResponse> Distribution::acknowledge(HttpRequest request) {
  std::string const edge = edge_of(request);
  if (edge.empty()) {
    co_return not_an_edge();
  }
  auto const body = parse_acknowledgment(request.body);
  if (!body) {
    co_return net::problem_of(400, "Bad acknowledgment", body.error());
  }
  if (auto const caught = co_await following_.catch_up(); !caught) {
    co_return unavailable(caught.error());
  }
  auto const found = following_.fleet().find(edge, body->id);
  if (!found) {
    co_return HttpResponse::problem(404, "No such bundle", "No bundle of this id is for " + edge);
  }
  vault::Acknowledgment const row{found->subject_id, edge, body->sequence, body->fingerprint};
  auto const stored = co_await vault_.acknowledge(row, crypto::wall_now());
  if (!stored && stored.error().code == vault::errc::stale) {
    co_return net::problem_of(409, "Not the certificate of this bundle", "fingerprint", stored.error().what(),
                              "the bundle as it is now: GET /v1/edge/bundles/{id}");
  }
  if (!stored) {
    co_return unavailable(stored.error());
  }
  process::log::info(component, "edge serves edge={} id={} fingerprint={}", edge, body->id, body->fingerprint);
  following_.poke(tenant_of(body->id));
  if (auto const told = co_await following_.catch_up(); !told) {
    co_return unavailable(told.error());  // the edge repeats its acknowledgment
  }
  HttpResponse response;
  response.status = 204;
  co_return response;
}

net::Task<HttpResponse> Distribution::certificates(HttpRequest request) {
  if (!is_admin_(request)) {
    co_return HttpResponse::problem(403, "Not an administrator", "This list is for administrators");
  }
  auto const page = net::read_page(request, certificates_default);
  if (!page) {
    co_return net::problem_of(422, "Wrong query", page.error());
  }
  auto rows = co_await vault_.certificates();
  if (!rows) {
    co_return unavailable(rows.error());
  }
  auto const acknowledgments = co_await vault_.acknowledgments();
  if (!acknowledgments) {
    co_return unavailable(acknowledgments.error());
  }
  std::map<std::pair<std::int64_t, std::string>, json::array> heard;  // by subject and fingerprint
  for (vault::Acknowledgment const& one : *acknowledgments) {
    heard[{one.subject_id, one.fingerprint}].emplace_back(one.edge);
  }
  std::ranges::sort(*rows, {},
                    [](vault::CertificateRow const& row) { return std::pair(row.subject_id, row.sequence); });
  std::vector<std::string> keys;
  std::ranges::transform(*rows, std::back_inserter(keys), [](vault::CertificateRow const& row) {
    return net::page_key(row.subject_id) + "-" + net::page_key(row.sequence);
  });
  auto const shown = [&](std::size_t at) -> json::value {
    vault::CertificateRow const& row = (*rows)[at];
    auto const found = heard.find({row.subject_id, row.fingerprint});
    return json::object{{"id", "tenant-" + std::to_string(row.tenant_id)},
                        {"name", row.subject},
                        {"source", row.uploaded ? "upload" : "acme"},
                        {"names", json::value_from(row.names)},
                        {"fingerprint", row.fingerprint},
                        {"sequence", row.sequence},
                        {"not_before_ms", crypto::to_ms(row.not_before)},
                        {"not_after_ms", crypto::to_ms(row.not_after)},
                        {"edges", found == heard.end() ? json::array() : found->second}};
  };
  co_return HttpResponse::json(200, json::serialize(net::page_of("certificates", keys, shown, *page)));
}

}  // namespace acme
