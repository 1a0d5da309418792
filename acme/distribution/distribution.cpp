#include "acme/distribution/distribution.hpp"

#include "acme/crypto/encoding.hpp"
#include "base/process/log.hpp"
#include "dns-backend/tables/model.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <set>

namespace acme {
namespace {

namespace json = boost::json;
using net::HttpRequest;
using net::HttpResponse;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr char const* component = "acme";
constexpr milliseconds wait_limit{60000};

json::object item_of(EdgeBundle const& bundle) {
  json::object item;
  item["id"] = bundle.id;
  item["tenant"] = bundle.tenant;
  item["names"] = json::value_from(bundle.names);
  item["fingerprint"] = bundle.row.fingerprint;
  item["sequence"] = bundle.row.sequence;
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

// By tenant and name of the subject.
using Rows = std::map<std::pair<std::int64_t, std::string>, std::vector<vault::CertificateRow const*>>;

Rows rows_by_subject(std::vector<vault::CertificateRow> const& certificates) {
  Rows out;
  for (vault::CertificateRow const& row : certificates) {
    out[{row.tenant_id, row.subject}].push_back(&row);
  }
  return out;
}

vault::CertificateRow const* newest(Wanted const& wanted, Rows const& rows) {
  vault::CertificateRow const* present = nullptr;
  if (auto const found = rows.find({wanted.tenant_id, wanted.name}); found != rows.end()) {
    for (vault::CertificateRow const* const row : found->second) {
      if (fits(wanted, *row) && (present == nullptr || present->sequence < row->sequence)) {
        present = row;
      }
    }
  }
  return present;
}

std::string id_of(Wanted const& wanted, vault::CertificateRow const& row) {
  std::string const id = "tenant-" + std::to_string(wanted.tenant_id);
  return wanted.kind == Wanted::Kind::own ? id : id + "-" + std::to_string(row.subject_id);
}

std::set<std::string> edges_of(store::Tenant const& tenant, std::map<std::string, store::PoolRow const*> const& pools) {
  std::vector<std::string> names = tenant.backups;
  names.push_back(tenant.primary);
  std::set<std::string> edges;
  for (std::string const& name : names) {
    if (auto const pool = pools.find(name); pool != pools.end()) {
      for (auto const& endpoint : pool->second->endpoints) {
        edges.insert(endpoint.name);
      }
    }
  }
  return edges;
}

}  // namespace

EdgeView make_view(std::vector<Wanted> const& wanted, std::vector<store::Tenant> const& tenants,
                   std::vector<store::PoolRow> const& pools, std::vector<vault::CertificateRow> const& certificates) {
  std::map<std::string, store::PoolRow const*> pool_by_name;
  for (store::PoolRow const& pool : pools) {
    pool_by_name[pool.name] = &pool;
  }
  Rows const rows = rows_by_subject(certificates);
  std::map<std::int64_t, std::vector<EdgeBundle>> by_tenant;
  for (Wanted const& one : wanted) {
    if (vault::CertificateRow const* const row = newest(one, rows)) {
      std::string const& label = one.label.empty() ? one.tenant : one.label;
      by_tenant[one.tenant_id].push_back({id_of(one, *row), label, one.names, *row});
    }
  }
  EdgeView view;
  for (store::Tenant const& tenant : tenants) {
    auto const bundles = by_tenant.find(tenant.id);
    if (bundles == by_tenant.end()) {
      continue;
    }
    for (std::string const& edge : edges_of(tenant, pool_by_name)) {
      auto& list = view.by_edge[edge];
      list.insert(list.end(), bundles->second.begin(), bundles->second.end());
    }
  }
  for (auto& [edge, bundles] : view.by_edge) {
    std::ranges::sort(bundles, {}, &EdgeBundle::id);
  }
  return view;
}

void hold_back(EdgeView const& before, EdgeView& now, store::Revision revision, store::Revision everywhere,
               std::vector<Leaving>& leaving) {
  // Lists are sorted by id, and there may be a hundred thousand bundles at an edge.
  auto const is_there = [&now](std::string const& edge, std::string const& id) {
    auto const list = now.by_edge.find(edge);
    return list != now.by_edge.end() && std::ranges::binary_search(list->second, id, {}, &EdgeBundle::id);
  };
  std::set<std::pair<std::string, std::string>> known;
  for (Leaving const& one : leaving) {
    known.emplace(one.edge, one.bundle.id);
  }
  for (auto const& [edge, bundles] : before.by_edge) {
    for (EdgeBundle const& bundle : bundles) {
      if (!is_there(edge, bundle.id) && !known.contains({edge, bundle.id})) {
        leaving.push_back({edge, bundle, revision});
      }
    }
  }
  std::erase_if(leaving, [&](Leaving const& one) {
    return one.since <= everywhere || is_there(one.edge, one.bundle.id);  // it may be wanted again
  });
  for (Leaving const& one : leaving) {
    auto& list = now.by_edge[one.edge];
    list.insert(std::ranges::upper_bound(list, one.bundle.id, {}, &EdgeBundle::id), one.bundle);
  }
}

std::int64_t digest_of(std::vector<EdgeBundle> const& bundles) {
  std::string text;
  for (EdgeBundle const& bundle : bundles) {
    text += bundle.id + " " + bundle.tenant + " " + bundle.row.fingerprint + "\n";
  }
  std::string const digest = crypto::sha256(text);
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < 7; ++i) {
    bits = (bits << 8U) | static_cast<std::uint8_t>(digest[i]);
  }
  return static_cast<std::int64_t>(bits >> 4U) + 1;
}

std::map<std::int64_t, std::vector<std::string>> ready_edges(std::vector<Wanted> const& wanted,
                                                             std::vector<vault::Acknowledgment> const& acknowledgments,
                                                             std::vector<vault::CertificateRow> const& certificates,
                                                             crypto::Time now) {
  std::map<std::int64_t, std::vector<vault::Acknowledgment const*>> said;  // by subject
  for (vault::Acknowledgment const& acknowledgment : acknowledgments) {
    said[acknowledgment.subject_id].push_back(&acknowledgment);
  }
  Rows const rows = rows_by_subject(certificates);
  std::map<std::int64_t, std::vector<std::string>> ready;
  for (Wanted const& one : wanted) {
    auto const its = rows.find({one.tenant_id, one.name});
    if (one.kind != Wanted::Kind::own || its == rows.end()) {
      continue;
    }
    auto const heard = said.find(its->second.front()->subject_id);
    if (heard == said.end()) {
      continue;
    }
    std::vector<std::string>& edges = ready[one.tenant_id];
    for (vault::Acknowledgment const* const acknowledgment : heard->second) {
      bool const serves = std::ranges::any_of(its->second, [&](vault::CertificateRow const* row) {
        return row->fingerprint == acknowledgment->fingerprint && row->not_after > now && fits(one, *row);
      });
      if (serves) {
        edges.push_back(acknowledgment->edge);
      }
    }
    std::ranges::sort(edges);
  }
  return ready;
}

Distribution::Distribution(net::asio::any_io_executor executor, store::Store& store, vault::Vault& vault,
                           std::function<bool(HttpRequest const&)> is_admin,
                           std::function<store::Revision()> everywhere)
    : store_(store),
      vault_(vault),
      is_admin_(std::move(is_admin)),
      everywhere_(std::move(everywhere)),
      changed_(executor),
      stopping_(executor),
      making_(std::make_shared<Making>(executor)) {}

void Distribution::add_routes(net::Router& router) {
  router.add("GET", "/v1/edge/bundles", [this](HttpRequest request) { return list(std::move(request)); });
  router.add("GET", "/v1/edge/bundles/{id}", [this](HttpRequest request) { return bundle(std::move(request)); });
  router.add("POST", "/v1/edge/acknowledgments",
             [this](HttpRequest request) { return acknowledge(std::move(request)); });
  router.add("GET", "/v1/certificates", [this](HttpRequest request) { return certificates(std::move(request)); });
}

void Distribution::poke() {
  ++generation_;
  changed_.notify();
}

void Distribution::poke_leaving() {
  if (!leaving_.empty()) {
    poke();
  }
}

void Distribution::stop() {
  stopped_ = true;
  stopping_.notify();
  changed_.notify();
}

net::Task<void> Distribution::run() {
  while (!stopped_) {
    auto const done = co_await reconcile();
    if (!done) {
      process::log::warning(component, "readiness not updated error=\"{}\"", done.error().what());
    }
    if (!stopped_) {
      co_await stopping_.wait(milliseconds(60000));
    }
  }
}

net::Task<base::Result<std::vector<Wanted>>> Distribution::wanted() {
  std::function<base::Result<std::vector<Wanted>>(store::Model const&, database::Database&)> const look =
      [](store::Model const& model, database::Database&) -> base::Result<std::vector<Wanted>> {
    return domains::wanted_certificates(model, {});
  };
  co_return co_await store_.read<std::vector<Wanted>>(look);
}

net::Task<base::Result<void>> Distribution::reconcile() {
  auto const acknowledgments = co_await vault_.acknowledgments();
  if (!acknowledgments) {
    co_return acknowledgments.error();
  }
  auto const certificates = co_await vault_.certificates();
  if (!certificates) {
    co_return certificates.error();
  }
  auto const names = co_await wanted();
  if (!names) {
    co_return names.error();
  }
  auto const ready = ready_edges(*names, *acknowledgments, *certificates, crypto::wall_now());
  for (auto const& [tenant_id, edges] : ready) {
    auto const told = ready_.find(tenant_id);
    if (edges.empty() || (told != ready_.end() && told->second == edges)) {
      continue;
    }
    auto const set = co_await store_.set_ready(tenant_id, edges);
    // A tenant that was deleted meanwhile has nothing to be ready for; the issuer removes its rows.
    if (!set && set.error().code != store::errc::not_found) {
      co_return set.error();
    }
    ready_[tenant_id] = edges;
  }
  std::erase_if(ready_, [&ready](auto const& item) { return !ready.contains(item.first); });
  co_return base::Result<void>();
}

// Cached for as long as neither the store's revision nor the certificates moved: every waiting edge asks after each
// change.
// Every edge asks after every change: what they all need is made once. One that was begun after the question is new
// enough, whatever changed since: else a store that changes all the time would keep everybody waiting.
net::Task<base::Result<std::shared_ptr<EdgeView const>>> Distribution::view() {
  auto const making = making_;
  std::uint64_t const asked = making->begun;
  auto const is_new_enough = [this, asked] {
    bool const present = view_generation_ == generation_ && view_revision_ == store_.revision();
    return view_ != nullptr && (present || view_begun_ > asked);
  };
  while (!is_new_enough()) {
    if (making->now) {
      co_await making->done.wait(wait_limit);
      continue;
    }
    struct Turn {
      std::shared_ptr<Making> of;
      ~Turn() {
        of->now = false;
        of->done.notify();
      }
    } const turn{making};
    making->now = true;
    std::uint64_t const begun = ++making->begun;
    if (auto const made = co_await make_view_anew(); !made) {
      co_return made.error();
    }
    view_begun_ = begun;
  }
  co_return view_;
}

net::Task<base::Result<void>> Distribution::make_view_anew() {
  std::uint64_t const generation = generation_;
  store::Revision const revision = store_.revision();
  auto const tenants = co_await store_.tenants();
  if (!tenants) {
    co_return tenants.error();
  }
  auto const pools = co_await store_.pools();
  if (!pools) {
    co_return pools.error();
  }
  auto const certificates = co_await vault_.certificates();
  if (!certificates) {
    co_return certificates.error();
  }
  auto const names = co_await wanted();
  if (!names) {
    co_return names.error();
  }
  EdgeView now = make_view(*names, *tenants, *pools, *certificates);
  if (view_ != nullptr) {
    hold_back(*view_, now, store_.revision(), everywhere_(), leaving_);
  }
  view_ = std::make_shared<EdgeView const>(std::move(now));
  view_generation_ = generation;
  view_revision_ = revision;
  co_return base::Result<void>();
}

net::Task<base::Result<std::vector<EdgeBundle>>> Distribution::bundles_of(std::string edge) {
  auto const present = co_await view();
  if (!present) {
    co_return present.error();
  }
  auto const found = (*present)->by_edge.find(edge);
  co_return found == (*present)->by_edge.end() ? std::vector<EdgeBundle>() : found->second;
}

net::Task<HttpResponse> Distribution::list(HttpRequest request) {
  std::string const edge = edge_of(request);
  if (edge.empty()) {
    co_return not_an_edge();
  }
  std::int64_t const since = number(request, "since");
  milliseconds const wait = std::clamp(milliseconds(number(request, "wait_ms")), milliseconds(0), wait_limit);
  auto const end = Clock::now() + wait;
  for (;;) {
    auto const bundles = co_await bundles_of(edge);
    if (!bundles) {
      co_return unavailable(bundles.error());
    }
    std::int64_t const sequence = digest_of(*bundles);
    auto const left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
    if (sequence != since || left <= milliseconds(0) || stopped_) {
      json::array items;
      std::ranges::transform(*bundles, std::back_inserter(items), item_of);
      co_return HttpResponse::json(200, json::serialize(json::object{{"sequence", sequence}, {"bundles", items}}));
    }
    co_await changed_.wait(left);
  }
}

net::Task<HttpResponse> Distribution::bundle(HttpRequest request) {
  std::string const edge = edge_of(request);
  if (edge.empty()) {
    co_return not_an_edge();
  }
  auto const bundles = co_await bundles_of(edge);
  if (!bundles) {
    co_return unavailable(bundles.error());
  }
  auto const found = std::ranges::find(*bundles, request.parameters["id"], &EdgeBundle::id);
  if (found == bundles->end()) {
    // The same answer for "does not exist" and "not yours".
    co_return HttpResponse::problem(404, "No such bundle", "No bundle of this id is for " + edge);
  }
  auto const unsealed = co_await vault_.unsealed_bundle(found->row.subject_id, found->row.sequence);
  if (!unsealed && unsealed.error().code == vault::errc::not_found) {
    co_return HttpResponse::problem(404, "No such bundle", "The bundle is being replaced");
  }
  if (!unsealed) {
    co_return unavailable(unsealed.error());
  }
  json::object item = item_of({found->id, found->tenant, found->names, unsealed->row});
  item["chain_pem"] = unsealed->chain_pem;
  item["key_pem"] = unsealed->key_pem;
  process::log::info(component, "bundle given edge={} id={} fingerprint={}", edge, found->id,
                     unsealed->row.fingerprint);
  co_return HttpResponse::json(200, json::serialize(item));
}

net::Task<HttpResponse> Distribution::acknowledge(HttpRequest request) {
  std::string const edge = edge_of(request);
  if (edge.empty()) {
    co_return not_an_edge();
  }
  auto const body = parse_acknowledgment(request.body);
  if (!body) {
    co_return HttpResponse::problem(400, "Bad acknowledgment", base::text(body.error()));
  }
  auto const bundles = co_await bundles_of(edge);
  if (!bundles) {
    co_return unavailable(bundles.error());
  }
  auto const found = std::ranges::find(*bundles, body->id, &EdgeBundle::id);
  if (found == bundles->end()) {
    co_return HttpResponse::problem(404, "No such bundle", "No bundle of this id is for " + edge);
  }
  vault::Acknowledgment const row{found->row.subject_id, edge, body->sequence, body->fingerprint};
  auto const stored = co_await vault_.acknowledge(row, crypto::wall_now());
  if (!stored && stored.error().code == vault::errc::stale) {
    co_return HttpResponse::problem(409, "Not the certificate of this bundle", stored.error().what());
  }
  if (!stored) {
    co_return unavailable(stored.error());
  }
  process::log::info(component, "edge serves edge={} id={} fingerprint={}", edge, body->id, body->fingerprint);
  auto const told = co_await reconcile();
  if (!told) {
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
  auto const rows = co_await vault_.certificates();
  if (!rows) {
    co_return unavailable(rows.error());
  }
  auto const acknowledgments = co_await vault_.acknowledgments();
  if (!acknowledgments) {
    co_return unavailable(acknowledgments.error());
  }
  json::array items;
  for (vault::CertificateRow const& row : *rows) {
    json::array edges;
    for (vault::Acknowledgment const& acknowledgment : *acknowledgments) {
      if (acknowledgment.subject_id == row.subject_id && acknowledgment.fingerprint == row.fingerprint) {
        edges.emplace_back(acknowledgment.edge);
      }
    }
    json::object item;
    item["id"] = "tenant-" + std::to_string(row.tenant_id);
    item["name"] = row.subject;
    item["source"] = row.uploaded ? "upload" : "acme";
    item["names"] = json::value_from(row.names);
    item["fingerprint"] = row.fingerprint;
    item["sequence"] = row.sequence;
    item["not_before_ms"] = crypto::to_ms(row.not_before);
    item["not_after_ms"] = crypto::to_ms(row.not_after);
    item["edges"] = std::move(edges);
    items.push_back(std::move(item));
  }
  co_return HttpResponse::json(200, json::serialize(json::object{{"certificates", items}}));
}

}  // namespace acme
