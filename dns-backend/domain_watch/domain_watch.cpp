#include "dns-backend/domain_watch/domain_watch.hpp"

#include "base/process/log.hpp"
#include "dns-backend/name_server/name_server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>

namespace domain_watch {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds patience{30000};  // with looks that others began
constexpr milliseconds above_life{30000};
constexpr milliseconds above_failure_life{5000};
constexpr unsigned rcode_ok = 0;
constexpr unsigned rcode_nxdomain = 3;

std::int64_t wall_ms() {
  auto const now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

// Asks on one of the resolver's threads, as long as the look may last.
domains::Lookup lookup_by(name_server::NameServer& server, std::atomic<bool> const& stopped, milliseconds deadline) {
  return [&server, &stopped, deadline, begin = Clock::now()](dns::Name const& name, dns::RRType type) {
    domains::LookupAnswer out;
    if (stopped.load() || Clock::now() >= begin + deadline) {
      out.failed = true;
      out.error = stopped.load() ? "this process is stopping"
                                 : "the answers before took more than " + std::to_string(deadline.count()) + " ms";
      return out;
    }
    auto reply = server.ask(name, type);
    if (!reply) {
      out.failed = true;
      out.error = reply.error().what();
    } else if (reply->rcode != rcode_ok && reply->rcode != rcode_nxdomain) {
      out.failed = true;
      out.error = "the resolver answers " + name_server::rcode_text(reply->rcode);
    } else {
      out.answer = std::move(reply->answer);
    }
    return out;
  };
}

net::Task<domains::Verdict> judge_there(domains::Wanted wanted, Settings settings,
                                        std::shared_ptr<std::atomic<bool>> stopped) {
  name_server::NameServer server(settings.address, settings.port, true);
  domains::Lookup const lookup = lookup_by(server, *stopped, settings.look_deadline);
  co_return domains::judge(wanted, lookup);
}

std::string parent_of(std::string const& name) {
  auto const dot = name.find('.');
  return dot == std::string::npos ? std::string() : name.substr(dot + 1);
}

base::Result<Caa> climb(std::string const& name, domains::Lookup const& lookup) {
  Caa found;
  for (std::string at = name; !at.empty(); at = parent_of(at)) {
    auto const parsed = dns::Name::parse(at);
    if (!parsed) {
      return parsed.error();
    }
    domains::LookupAnswer const answer = lookup(*parsed, dns::type_caa);
    bool const top_level = at.find('.') == std::string::npos;
    if (answer.failed && top_level) {
      break;  // a resolver of a closed network may not know those; hardly one has such records
    }
    if (answer.failed) {
      return base::fail(boost::system::errc::host_unreachable,
                        "the CAA records of '" + at + "' cannot be looked up: " + answer.error);
    }
    for (dns::OwnedRRset const& one : answer.answer) {  // with a CNAME on the way, at its end
      if (one.rrset.type == dns::type_caa) {
        auto& contents = found[at];
        contents.insert(contents.end(), one.rrset.contents.begin(), one.rrset.contents.end());
      }
    }
    if (!found.empty()) {
      break;
    }
  }
  return found;
}

net::Task<base::Result<Caa>> climb_there(std::string name, Settings settings,
                                         std::shared_ptr<std::atomic<bool>> stopped) {
  name_server::NameServer server(settings.address, settings.port, true);
  domains::Lookup const lookup = lookup_by(server, *stopped, settings.look_deadline);
  co_return climb(name, lookup);
}

net::Task<base::Result<domains::Trace>> trace_there(std::string name, Settings settings,
                                                    std::shared_ptr<std::atomic<bool>> stopped) {
  auto const parsed = dns::Name::parse(name);
  if (!parsed) {
    co_return parsed.error();
  }
  name_server::NameServer server(settings.address, settings.port, true);
  domains::Lookup const lookup = lookup_by(server, *stopped, settings.look_deadline);
  co_return domains::trace(*parsed, lookup, {});
}

}  // namespace

// A tenant's look: ends with the scope, also when the task is cancelled.
class DomainWatch::Turn {
 public:
  Turn(std::shared_ptr<Busy> busy, std::int64_t tenant_id, net::asio::any_io_executor const& executor)
      : busy_(std::move(busy)), tenant_id_(tenant_id), over_(std::make_shared<net::Signal>(executor)) {
    (*busy_)[tenant_id_] = over_;
  }
  ~Turn() {
    busy_->erase(tenant_id_);
    over_->notify();
  }
  Turn(Turn const&) = delete;
  Turn& operator=(Turn const&) = delete;

 private:
  std::shared_ptr<Busy> busy_;
  std::int64_t tenant_id_;
  std::shared_ptr<net::Signal> over_;
};

// Of a pass, shared by those who look.
struct DomainWatch::Round {
  explicit Round(net::asio::any_io_executor const& executor) : done(executor) {}
  ByTenant due;
  std::size_t next = 0;
  std::size_t at_work = 0;
  base::Result<void> result;
  Clock::time_point end;
  net::Signal done;
};

DomainWatch::DomainWatch(net::asio::any_io_executor executor, store::Store& store, process::Metrics& metrics,
                         Settings settings)
    : executor_(executor),
      store_(store),
      settings_(std::move(settings)),
      good_(metrics.counter("navigator_domain_looks_total", "Looks at tenants' domains", {{"result", "ok"}})),
      bad_(metrics.counter("navigator_domain_looks_total", "Looks at tenants' domains", {{"result", "not"}})),
      wake_(executor) {}

DomainWatch::~DomainWatch() {
  stopped_->store(true);
  threads_.join();
}

net::Task<base::Result<domains::Verdict>> DomainWatch::look(std::int64_t domain_id, std::int64_t now_ms) {
  if (auto const under_way = looks_.find(domain_id); under_way != looks_.end()) {
    std::shared_ptr<Looking> const other = under_way->second;
    co_await other->done.wait(patience);
    if (other->verdict) {
      co_return *other->verdict;
    }
    // Whoever began it was cancelled and finds nothing any more.
  }
  auto const mine = std::make_shared<Looking>(executor_);
  looks_[domain_id] = mine;
  mine->verdict = co_await look_now(domain_id, now_ms);
  if (auto const still = looks_.find(domain_id); still != looks_.end() && still->second == mine) {
    looks_.erase(still);
  }
  mine->done.notify();
  co_return *mine->verdict;
}

net::Task<base::Result<std::shared_ptr<DomainWatch::Turn>>> DomainWatch::turn_of(std::int64_t domain_id) {
  std::function<base::Result<std::int64_t>(store::Model const&, database::Database&)> const read =
      [domain_id](store::Model const& model, database::Database&) -> base::Result<std::int64_t> {
    auto const found = model.domains().find(domain_id);
    if (found == model.domains().end()) {
      return base::fail(store::errc::not_found, "the domain is gone");
    }
    return found->second.tenant_id;
  };
  auto const tenant_id = co_await store_.read<std::int64_t>(read);
  if (!tenant_id) {
    co_return tenant_id.error();
  }
  co_return co_await turn_of_tenant(*tenant_id);
}

net::Task<base::Result<std::shared_ptr<DomainWatch::Turn>>> DomainWatch::turn_of_tenant(std::int64_t tenant_id) {
  auto const end = Clock::now() + patience;
  for (auto found = busy_->find(tenant_id); found != busy_->end(); found = busy_->find(tenant_id)) {
    auto const left = std::chrono::ceil<milliseconds>(end - Clock::now());
    if (left.count() <= 0) {
      co_return base::fail(store::errc::too_many, "other domains of this tenant are being looked at");
    }
    std::shared_ptr<net::Signal> const over = found->second;
    co_await over->wait(left);
  }
  co_return std::make_shared<Turn>(busy_, tenant_id, executor_);
}

net::Task<base::Result<domains::Wanted>> DomainWatch::wanted(std::int64_t domain_id) {
  using Found = std::optional<domains::Wanted>;
  std::function<base::Result<Found>(store::Model const&, database::Database&)> const read =
      [zone = settings_.challenge_zone, domain_id](store::Model const& model,
                                                   database::Database&) -> base::Result<Found> {
    return domains::wanted_of(model, zone, domain_id);
  };
  auto found = co_await store_.read<Found>(read);
  if (!found) {
    co_return found.error();
  }
  if (!found->has_value()) {
    co_return base::fail(store::errc::not_found, "the domain is gone");
  }
  if (settings_.challenge_labels) {
    (*found)->challenge_labels = settings_.challenge_labels();
  }
  co_return std::move(**found);
}

net::Task<base::Result<domains::Verdict>> DomainWatch::look_at_challenge(std::int64_t domain_id, std::string label) {
  auto const turn = co_await turn_of(domain_id);
  if (!turn) {
    co_return turn.error();
  }
  auto sought = co_await wanted(domain_id);
  if (!sought) {
    co_return sought.error();
  }
  sought->needs_proof = false;
  sought->served_here = true;  // where it leads is another look's
  sought->challenge_labels = {std::move(label)};
  net::Task<domains::Verdict> there = judge_there(std::move(*sought), settings_, stopped_);
  co_return co_await boost::asio::co_spawn(threads_.get_executor(), std::move(there), boost::asio::use_awaitable);
}

net::Task<base::Result<domains::Verdict>> DomainWatch::look_now(std::int64_t domain_id, std::int64_t now_ms) {
  auto const turn = co_await turn_of(domain_id);
  if (!turn) {
    co_return turn.error();
  }
  auto const sought = co_await wanted(domain_id);
  if (!sought) {
    co_return sought.error();
  }
  net::Task<domains::Verdict> there = judge_there(*sought, settings_, stopped_);
  domains::Verdict const found =
      co_await boost::asio::co_spawn(threads_.get_executor(), std::move(there), boost::asio::use_awaitable);
  auto const verdict = std::make_shared<domains::Verdict>(found);
  (verdict->ok() ? good_ : bad_).add();
  store::Body body = [verdict, domain_id, now_ms](store::Write const& write) {
    return domains::settle(write, domain_id, *verdict, now_ms);
  };
  if (auto const done = co_await store_.write(std::move(body)); !done) {
    co_return done.error();
  }
  co_return *verdict;
}

template <class T>
net::Task<base::Result<T>> DomainWatch::in_turn(std::int64_t tenant_id, net::Task<base::Result<T>> there) {
  auto const turn = co_await turn_of_tenant(tenant_id);
  if (!turn) {
    co_return turn.error();
  }
  base::Result<T> found =
      co_await boost::asio::co_spawn(threads_.get_executor(), std::move(there), boost::asio::use_awaitable);
  co_return found;
}

net::Task<base::Result<Caa>> DomainWatch::caa(std::int64_t tenant_id, std::string name) {
  return in_turn(tenant_id, climb_there(std::move(name), settings_, stopped_));
}

std::optional<base::Result<Caa>> DomainWatch::known_above(std::string const& name) {
  std::erase_if(above_, [now = Clock::now()](auto const& item) { return item.second.first <= now; });
  auto const known = above_.find(name);
  return known == above_.end() ? std::nullopt : std::optional(known->second.second);
}

net::Task<base::Result<Caa>> DomainWatch::caa_above(std::string name) {
  constexpr std::int64_t nobody = 0;
  if (auto const known = known_above(name)) {
    co_return *known;
  }
  auto const turn = co_await turn_of_tenant(nobody);
  if (!turn) {
    co_return turn.error();
  }
  if (auto const known = known_above(name)) {  // whoever had the turn before asked the same
    co_return *known;
  }
  net::Task<base::Result<Caa>> there = climb_there(name, settings_, stopped_);
  base::Result<Caa> found =
      co_await boost::asio::co_spawn(threads_.get_executor(), std::move(there), boost::asio::use_awaitable);
  above_.insert_or_assign(name, std::pair(Clock::now() + (found ? above_life : above_failure_life), found));
  co_return found;
}

net::Task<base::Result<domains::Trace>> DomainWatch::trace(std::int64_t tenant_id, std::string name) {
  return in_turn(tenant_id, trace_there(std::move(name), settings_, stopped_));
}

net::Task<base::Result<DomainWatch::ByTenant>> DomainWatch::due(std::int64_t now_ms) {
  constexpr std::size_t batch = 1000;
  std::function<base::Result<ByTenant>(store::Model const&, database::Database&)> const read =
      [now_ms](store::Model const& model, database::Database& database) -> base::Result<ByTenant> {
    auto const ids = domains::due(database, now_ms, batch);
    if (!ids) {
      return ids.error();
    }
    ByTenant out;
    std::map<std::int64_t, std::size_t> places;
    for (std::int64_t const id : *ids) {
      auto const found = model.domains().find(id);
      auto const tenant_id = found == model.domains().end() ? 0 : found->second.tenant_id;
      auto const place = places.emplace(tenant_id, out.size()).first->second;
      out.resize(std::max(out.size(), place + 1));
      out[place].push_back(id);
    }
    return out;
  };
  co_return co_await store_.read<ByTenant>(read);
}

// One tenant's after the other's, until the round's time is over.
net::Task<void> DomainWatch::work(std::shared_ptr<Round> round, std::int64_t now_ms) {
  std::shared_ptr<void> const leaving(nullptr, [round](void*) {
    --round->at_work;
    round->done.notify();
  });
  auto const over = [&] { return stopped_->load() || Clock::now() >= round->end || !round->result; };
  while (round->next < round->due.size() && !over()) {
    std::vector<std::int64_t> const ids = round->due[round->next++];
    for (std::size_t i = 0; i < ids.size() && !over(); ++i) {
      auto const looked = co_await look(ids[i], now_ms);
      if (!looked && looked.error().code != store::errc::not_found && looked.error().code != store::errc::too_many) {
        round->result = looked.error();
      }
    }
  }
}

net::Task<base::Result<void>> DomainWatch::pass(std::int64_t now_ms) {
  store::Body body = [now_ms](store::Write const& write) { return domains::sweep(write, now_ms); };
  if (auto const swept = co_await store_.write(std::move(body)); !swept) {
    co_return swept.error();
  }
  auto found = co_await due(now_ms);
  if (!found) {
    co_return found.error();
  }
  auto const round = std::make_shared<Round>(executor_);
  round->due = std::move(*found);
  round->end = Clock::now() + settings_.pause;
  round->at_work = std::min(at_once, round->due.size());
  for (std::size_t i = round->at_work; i > 0; --i) {
    net::spawn(executor_, "looks at domains that are due", work(round, now_ms));
  }
  while (round->at_work > 0) {
    co_await round->done.wait(patience);
  }
  co_return round->result;
}

net::Task<void> DomainWatch::run() {
  while (!stopped_->load()) {
    if (auto const done = co_await pass(wall_ms()); !done) {
      process::log::warning("domains", "a pass failed error=\"{}\"", done.error().what());
    }
    if (!stopped_->load()) {
      co_await wake_.wait(settings_.pause);
    }
  }
}

void DomainWatch::poke() {
  wake_.notify();
}

void DomainWatch::stop() {
  stopped_->store(true);
  wake_.notify();
}

}  // namespace domain_watch
