#include "dns-backend/domain_watch/domain_watch.hpp"

#include "base/process/log.hpp"
#include "dns-backend/name_server/name_server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>

namespace domain_watch {
namespace {

constexpr std::chrono::milliseconds patience{30000};  // with a look that another one began
constexpr unsigned rcode_ok = 0;
constexpr unsigned rcode_nxdomain = 3;

std::int64_t wall_ms() {
  auto const now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

// Asks on one of the resolver's threads.
domains::Lookup lookup_by(name_server::NameServer& server, std::atomic<bool> const& stopped) {
  return [&server, &stopped](dns::Name const& name, dns::RRType type) {
    domains::LookupAnswer out;
    if (stopped.load()) {
      out.failed = true;
      out.error = "this process is stopping";
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

net::Task<domains::Verdict> judge_there(domains::Wanted wanted, std::string address, std::uint16_t port,
                                        std::shared_ptr<std::atomic<bool>> stopped) {
  name_server::NameServer server(std::move(address), port, true);
  domains::Lookup const lookup = lookup_by(server, *stopped);
  co_return domains::judge(wanted, lookup);
}

base::Result<Caa> climb(std::string const& name, domains::Lookup const& lookup) {
  Caa found;
  for (std::string at = name; at.find('.') != std::string::npos; at = at.substr(at.find('.') + 1)) {
    auto const parsed = dns::Name::parse(at);
    if (!parsed) {
      return parsed.error();
    }
    domains::LookupAnswer const answer = lookup(*parsed, dns::type_caa);
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

net::Task<base::Result<Caa>> climb_there(std::string name, std::string address, std::uint16_t port,
                                         std::shared_ptr<std::atomic<bool>> stopped) {
  name_server::NameServer server(std::move(address), port, true);
  domains::Lookup const lookup = lookup_by(server, *stopped);
  co_return climb(name, lookup);
}

}  // namespace

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
  auto sought = co_await wanted(domain_id);
  if (!sought) {
    co_return sought.error();
  }
  sought->needs_proof = false;
  sought->served_here = true;  // where it leads is another look's
  sought->challenge_labels = {std::move(label)};
  net::Task<domains::Verdict> there = judge_there(std::move(*sought), settings_.address, settings_.port, stopped_);
  co_return co_await boost::asio::co_spawn(threads_.get_executor(), std::move(there), boost::asio::use_awaitable);
}

net::Task<base::Result<domains::Verdict>> DomainWatch::look_now(std::int64_t domain_id, std::int64_t now_ms) {
  auto const sought = co_await wanted(domain_id);
  if (!sought) {
    co_return sought.error();
  }
  net::Task<domains::Verdict> there = judge_there(*sought, settings_.address, settings_.port, stopped_);
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

net::Task<base::Result<Caa>> DomainWatch::caa(std::string name) {
  net::Task<base::Result<Caa>> there = climb_there(std::move(name), settings_.address, settings_.port, stopped_);
  base::Result<Caa> found =
      co_await boost::asio::co_spawn(threads_.get_executor(), std::move(there), boost::asio::use_awaitable);
  co_return found;
}

net::Task<base::Result<void>> DomainWatch::pass(std::int64_t now_ms) {
  constexpr std::size_t batch = 32;
  store::Body body = [now_ms](store::Write const& write) { return domains::sweep(write, now_ms); };
  if (auto const swept = co_await store_.write(std::move(body)); !swept) {
    co_return swept.error();
  }
  std::function<base::Result<std::vector<std::int64_t>>(database::Database&)> const read =
      [now_ms](database::Database& database) { return domains::due(database, now_ms, batch); };
  auto const due = co_await store_.thread().run<std::vector<std::int64_t>>(read);
  if (!due) {
    co_return due.error();
  }
  for (std::int64_t const id : *due) {
    if (stopped_->load()) {
      break;
    }
    auto const looked = co_await look(id, now_ms);
    if (!looked && looked.error().code != store::errc::not_found) {
      co_return looked.error();
    }
  }
  co_return base::Result<void>();
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
