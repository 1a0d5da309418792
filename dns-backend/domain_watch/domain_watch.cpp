#include "dns-backend/domain_watch/domain_watch.hpp"

#include "base/process/log.hpp"
#include "dns-backend/name_server/name_server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>

namespace domain_watch {
namespace {

constexpr unsigned rcode_ok = 0;
constexpr unsigned rcode_nxdomain = 3;

std::int64_t wall_ms() {
  auto const now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

// On the resolver's thread.
net::Task<domains::Verdict> judge_there(domains::Wanted wanted, std::string address, std::uint16_t port,
                                        std::shared_ptr<std::atomic<bool>> stopped) {
  name_server::NameServer server(std::move(address), port, true);
  auto const lookup = [&server, &stopped](dns::Name const& name, dns::RRType type) {
    domains::LookupAnswer out;
    if (stopped->load()) {
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
  co_return domains::judge(wanted, lookup);
}

}  // namespace

DomainWatch::DomainWatch(net::asio::any_io_executor executor, store::Store& store, process::Metrics& metrics,
                         Settings settings)
    : store_(store),
      settings_(std::move(settings)),
      good_(metrics.counter("navigator_domain_looks_total", "Looks at tenants' domains", {{"result", "ok"}})),
      bad_(metrics.counter("navigator_domain_looks_total", "Looks at tenants' domains", {{"result", "not"}})),
      wake_(executor) {}

DomainWatch::~DomainWatch() {
  stopped_->store(true);
  thread_.join();
}

net::Task<base::Result<domains::Verdict>> DomainWatch::look(std::int64_t domain_id, std::int64_t now_ms) {
  using Found = std::optional<domains::Wanted>;
  std::function<base::Result<Found>(store::Model const&, database::Database&)> const read =
      [zone = settings_.challenge_zone, domain_id](store::Model const& model,
                                                   database::Database&) -> base::Result<Found> {
    return domains::wanted_of(model, zone, domain_id);
  };
  auto const wanted = co_await store_.read<Found>(read);
  if (!wanted) {
    co_return wanted.error();
  }
  if (!wanted->has_value()) {
    co_return base::fail(store::errc::not_found, "the domain is gone");
  }
  net::Task<domains::Verdict> there = judge_there(**wanted, settings_.address, settings_.port, stopped_);
  domains::Verdict const found =
      co_await boost::asio::co_spawn(thread_.get_executor(), std::move(there), boost::asio::use_awaitable);
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
