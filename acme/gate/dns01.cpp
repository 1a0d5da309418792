#include "acme/gate/dns01.hpp"

#include "base/probe/probe.hpp"

#include <algorithm>

namespace acme {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// A site that moved to another address has proved nothing there.
std::string key_of(Site const& site) {
  return site.name + " " + site.address + " " + std::to_string(site.port);
}

std::string joined(std::vector<std::string> const& parts) {
  std::string text;
  for (std::string const& part : parts) {
    text += (text.empty() ? "" : "; ") + part;
  }
  return text;
}

base::Result<std::vector<std::pair<dns::Name, std::string>>> rows_of(std::vector<protocol::TxtValue> const& values) {
  std::vector<std::pair<dns::Name, std::string>> rows;
  for (protocol::TxtValue const& value : values) {
    auto const name = dns::Name::parse(value.name);
    if (!name) {
      return name.error();
    }
    rows.emplace_back(*name, value.value);
  }
  return rows;
}

std::vector<Expected> with_values(std::vector<Expected> expected, std::vector<protocol::TxtValue> const& values) {
  for (protocol::TxtValue const& value : values) {
    expected.push_back({value.name, "TXT", "\"" + value.value + "\""});
  }
  return expected;
}

probe::Check question(Site const& site, Expected const& expected, bool tcp, milliseconds timeout) {
  probe::Check check;
  check.type = probe::Type::dns;
  check.address = site.address;
  check.port = site.port;
  check.timeout = timeout;
  check.qname = expected.name + ".";
  check.qtype = expected.type;
  check.expected_content = expected.content;
  check.tcp = tcp;
  return check;
}

}  // namespace

GateView look(std::vector<Site> const& sites, store::Revision revision, std::set<std::string> const& proved) {
  GateView view;
  for (Site const& site : sites) {
    if (!site.in_service) {
      continue;
    }
    view.any_in_service = true;
    if (site.acknowledged < revision) {
      view.behind.push_back(site.name + " has revision " + std::to_string(site.acknowledged) + " of " +
                            std::to_string(revision) + (site.silent ? ", is cut off and may still answer" : ""));
    } else if (!proved.contains(key_of(site))) {
      view.ask.push_back(site);
    }
  }
  return view;
}

// Answers of one round, one place a site; an empty text means all is well there.
struct Dns01::Questions {
  Questions(net::asio::any_io_executor executor, std::size_t count)
      : answered(executor), verdicts(count, "no answer"), open(count) {}
  net::Signal answered;
  std::vector<std::string> verdicts;
  std::size_t open;
};

store::Revision acknowledged_everywhere(std::vector<Site> const& sites, store::Revision newest) {
  store::Revision least = newest;
  for (Site const& site : sites) {
    least = site.in_service ? std::min(least, site.acknowledged) : least;
  }
  return least;
}

Dns01::Dns01(net::asio::any_io_executor executor, store::Store& store, std::function<std::vector<Site>()> sites,
             GateSettings settings)
    : executor_(executor), store_(store), sites_(std::move(sites)), settings_(settings), changed_(executor) {}

net::Task<base::Result<void>> Dns01::publish(std::string owner, std::vector<protocol::TxtValue> values,
                                             std::vector<Expected> beside) {
  auto rows = rows_of(values);
  if (!rows) {
    co_return rows.error();
  }
  auto const revision = co_await store_.add_challenges(std::move(*rows), owner);
  if (!revision) {
    co_return revision.error();
  }
  std::vector<Expected> expected = with_values(std::move(beside), values);
  co_return co_await gate(*revision, std::move(expected));
}

net::Task<base::Result<void>> Dns01::keep(std::string owner, std::vector<protocol::TxtValue> values,
                                          std::vector<Expected> beside) {
  if (auto const known = kept_.find(owner); known != kept_.end() && known->second == values) {
    co_return base::Result<void>();
  }
  auto rows = rows_of(values);
  if (!rows) {
    co_return rows.error();
  }
  auto const revision = co_await store_.set_challenges(std::move(*rows), owner);
  if (!revision) {
    co_return revision.error();
  }
  std::vector<Expected> expected = with_values(std::move(beside), values);
  auto const passed = co_await gate(*revision, std::move(expected));
  if (passed) {
    kept_[owner] = std::move(values);
  }
  co_return passed;
}

net::Task<base::Result<void>> Dns01::unpublish(std::string owner) {
  kept_.erase(owner);
  auto const revision = co_await store_.remove_challenges(owner);
  if (!revision) {
    co_return revision.error();
  }
  co_return base::Result<void>();
}

net::Task<base::Result<void>> Dns01::unpublish_below(std::string owner) {
  std::erase_if(kept_,
                [&owner](auto const& item) { return item.first == owner || item.first.starts_with(owner + "/"); });
  auto const revision = co_await store_.remove_challenges_below(owner);
  if (!revision) {
    co_return revision.error();
  }
  co_return base::Result<void>();
}

net::Task<base::Result<void>> Dns01::sweep(std::string infix, std::set<std::string> keep) {
  kept_.clear();
  auto const revision = co_await store_.sweep_challenges(std::move(infix), std::move(keep));
  if (!revision) {
    co_return revision.error();
  }
  co_return base::Result<void>();
}

net::Task<base::Result<void>> Dns01::gate(store::Revision revision, std::vector<Expected> expected) {
  auto const deadline = Clock::now() + settings_.deadline;
  milliseconds pause = settings_.poll_first;
  std::set<std::string> proved;
  for (;;) {
    GateView view = look(sites_(), revision, proved);
    std::vector<std::string> missing = std::move(view.behind);
    if (!view.ask.empty()) {
      auto const failed = co_await ask(std::move(view.ask), expected, proved);
      missing.insert(missing.end(), failed.begin(), failed.end());
    }
    if (!view.any_in_service) {
      missing.emplace_back("no site is in service");
    }
    if (missing.empty()) {
      co_return base::Result<void>();
    }
    auto const left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
    if (left <= milliseconds(0)) {
      co_return base::fail(errc::not_ready, joined(missing));
    }
    co_await changed_.wait(std::min(pause, left));
    pause = std::min(pause * 3 / 2 + milliseconds(1), settings_.poll_limit);
  }
}

// Asks all sites at the same time, so that a dead one costs its timeout once. Returns what is wrong, site by site.
net::Task<std::vector<std::string>> Dns01::ask(std::vector<Site> sites, std::vector<Expected> expected,
                                               std::set<std::string>& proved) {
  auto const questions = std::make_shared<Questions>(executor_, sites.size());
  for (std::size_t i = 0; i < sites.size(); ++i) {
    net::spawn(executor_, "acme gate " + sites[i].name,
               ask_site(sites[i], expected, settings_.query_timeout, questions, i));
  }
  milliseconds const budget = settings_.query_timeout * (2 * expected.size() + 1);
  auto const end = Clock::now() + budget;
  while (questions->open > 0 && Clock::now() < end) {
    co_await questions->answered.wait(budget);
  }
  std::vector<std::string> failed;
  for (std::size_t i = 0; i < sites.size(); ++i) {
    if (questions->verdicts[i].empty()) {
      proved.insert(key_of(sites[i]));
    } else {
      failed.push_back(sites[i].name + ": " + questions->verdicts[i]);
    }
  }
  co_return failed;
}

net::Task<void> Dns01::ask_site(Site site, std::vector<Expected> expected, milliseconds timeout,
                                std::shared_ptr<Questions> questions, std::size_t index) {
  std::string wrong;
  for (std::size_t i = 0; i < 2 * expected.size() && wrong.empty(); ++i) {
    bool const tcp = i % 2 == 1;
    auto const verdict = co_await probe::run(question(site, expected[i / 2], tcp, timeout));
    if (!verdict.success) {
      wrong = expected[i / 2].name + (tcp ? " over TCP: " : " over UDP: ") + verdict.reason;
    }
  }
  questions->verdicts[index] = wrong;
  --questions->open;
  questions->answered.notify();
}

}  // namespace acme
