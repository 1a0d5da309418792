#include "acme/edge/agent.hpp"

#include "acme/edge/handshake.hpp"
#include "acme/edge/web_server.hpp"
#include "base/process/log.hpp"
#include "base/process/service.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>

namespace edge {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr char const* component = "edge";
constexpr std::chrono::hours held_out_for{1};
constexpr std::size_t apart_max = 24;  // reloads that look for a bundle which is refused
constexpr unsigned reloads_max = 5;    // for one that is not served though the web server took it

// Keeps the first failure of several steps that do not depend on each other.
void note(base::Result<void>& first, base::Result<void> const& step) {
  if (first && !step) {
    first = step.error();
  }
}

// About this bundle alone; others may well be had, served and acknowledged.
bool is_its_own(base::Failure const& failure) {
  return failure.code == errc::refused || failure.code == errc::bad_bundle;
}

ClientSettings client_settings(AgentSettings const& settings) {
  return {settings.navigators, settings.tls, settings.long_poll, settings.call_deadline};
}

}  // namespace

EdgeAgent::EdgeAgent(net::asio::any_io_executor executor, AgentSettings settings)
    : settings_(std::move(settings)),
      installation_(settings_.directory, {!settings_.haproxy_file.empty(), settings_.key_group}),
      client_(executor, client_settings(settings_)),
      stopping_(executor),
      backoff_(settings_.retry_first, settings_.retry_limit),
      pace_(settings_.reload_pace) {
  settings_.nginx.directory = settings_.directory;
}

net::Task<void> EdgeAgent::run() {
  std::mt19937 random{std::random_device{}()};
  while (!stopped_) {
    if (auto const rest = pace_.rest(Clock::now()); rest > milliseconds(0)) {
      co_await stopping_.wait(rest);  // what changes meanwhile is one reload
      continue;
    }
    // What failed is tried again at once, with what is new by then.
    auto const news = co_await client_.follow(applied_, applied_, until_due());
    if (stopped_) {
      break;
    }
    base::Result<void> done;
    if (news) {
      whole_ = whole_ || news->complete || Clock::now() >= look_at_;
      pending_.insert(news->ids.begin(), news->ids.end());
      done = co_await pass();
      applied_ = done.has_value();
    } else {
      done = news.error();
    }
    if (done) {
      last_error_.clear();
      backoff_.succeeded();
      continue;
    }
    if (last_error_ != done.error().what()) {
      process::log::warning(component, "pass failed error=\"{}\"", done.error().what());
    }
    last_error_ = done.error().what();
    if (!stopped_) {
      co_await stopping_.wait(backoff_.next(static_cast<std::uint32_t>(random())));
    }
  }
}

void EdgeAgent::stop() {
  stopped_ = true;
  client_.stop();
  stopping_.notify();
}

AgentStatus EdgeAgent::status() const {
  AgentStatus status;
  status.navigator = client_.answering();
  status.last_error = last_error_;
  auto const add = [&status](std::string const& what) {
    status.last_error += (status.last_error.empty() ? "" : "; ") + what;
  };
  for (auto const& [id, held] : held_out_) {
    add(id + " is kept out: " + held.reason);
  }
  for (PutOffs const* const all : {&unfetched_, &unproved_}) {
    for (auto const& [id, one] : *all) {
      add(id + " is tried again: " + one.reason);
    }
  }
  for (auto const& [id, item] : observed_) {
    auto const found = acknowledged_.find(id);
    bool const acknowledged = is_settled(item) && found->second.taken;
    status.bundles.push_back({item.id, item.tenant, item.fingerprint, acknowledged});
  }
  return status;
}

// The directory as it is; the longer that takes, the seldomer it is done for nothing.
base::Result<void> EdgeAgent::look() {
  constexpr int share = 100;
  auto const begin = Clock::now();
  auto observed = installation_.observe();
  if (!observed) {
    return observed.error();
  }
  auto folders = installation_.folders();
  if (!folders) {
    return folders.error();
  }
  observed_.clear();
  for (BundleItem& item : *observed) {
    std::string const id = item.id;
    observed_.emplace(id, std::move(item));
  }
  strays_ = std::move(*folders);
  std::erase_if(strays_, [this](std::string const& id) { return observed_.contains(id); });
  auto const end = Clock::now();
  look_at_ = end + std::max<Clock::duration>(settings_.long_poll, share * (end - begin));
  return {};
}

// What is to be done about the ids that are pending, or about all.
Difference EdgeAgent::outstanding() const {
  std::vector<BundleItem> wanted;
  std::vector<BundleItem> observed;
  auto const add = [](Client::Items const& from, std::string const& id, std::vector<BundleItem>& to) {
    if (auto const found = from.find(id); found != from.end()) {
      to.push_back(found->second);
    }
  };
  if (whole_) {
    std::ranges::transform(client_.items(), std::back_inserter(wanted), &Client::Items::value_type::second);
    std::ranges::transform(observed_, std::back_inserter(observed), &Client::Items::value_type::second);
  } else {
    for (std::string const& id : pending_) {
      add(client_.items(), id, wanted);
      add(observed_, id, observed);
    }
  }
  Difference result = difference(wanted, observed);
  auto const is_stray = [this](std::string const& id) {
    return !client_.items().contains(id) && !observed_.contains(id) && installation_.has_folder(id);
  };
  if (whole_) {
    std::ranges::copy_if(strays_, std::back_inserter(result.remove), is_stray);
  } else {
    std::ranges::copy_if(pending_, std::back_inserter(result.remove), is_stray);
  }
  return result;
}

net::Task<base::Result<void>> EdgeAgent::pass() {
  began_ = Clock::now();
  take_up_due();
  if (!whole_ && pending_.empty()) {
    co_return base::Result<void>();
  }
  if (whole_) {
    if (auto const looked = look(); !looked) {
      co_return looked;
    }
  }
  base::Result<void> result = co_await apply(outstanding());
  auto const proved = co_await prove_all();
  note(result, proved);
  // What was due and not put off again is done, or is not wanted any more.
  for (PutOffs* const all : {&unfetched_, &unproved_}) {
    std::erase_if(*all, [this](auto const& one) { return one.second.until <= began_; });
  }
  whole_ = !result;
  if (result) {
    pending_.clear();
  }
  co_return result;
}

net::Task<base::Result<void>> EdgeAgent::apply(Difference wanted) {
  base::Result<void> result;
  std::vector<BundleItem> staged;
  for (BundleItem const& item : wanted.fetch) {
    if (is_held_out(item) || is_put_off(unfetched_, item)) {
      continue;
    }
    auto const fetched = co_await fetch(item);
    if (fetched) {
      unfetched_.erase(item.id);
      staged.push_back(item);
    } else if (is_its_own(fetched.error())) {
      put_off(unfetched_, item, fetched.error().what());
    } else {
      note(result, fetched);
    }
  }
  forget_unlisted();
  auto active = co_await activate(staged, wanted.remove);
  bool const known = std::ranges::any_of(staged, [this](auto const& item) { return held_out_.contains(item.id); });
  bool const several = !staged.empty() && staged.size() + wanted.remove.size() > 1;
  if (!active && active.error().code == errc::reload_failed && (several || known)) {
    active = co_await activate_apart(staged, wanted.remove);
    note(result, active);
    co_return result;
  }
  note(result, active);
  if (active) {
    activated(staged);
    note(result, clear_away(wanted.remove));
  }
  co_return result;
}

void EdgeAgent::activated(std::vector<BundleItem> const& staged) {
  for (BundleItem const& item : staged) {
    observed_[item.id] = item;
    held_out_.erase(item.id);
  }
}

bool EdgeAgent::is_held_out(BundleItem const& item) const {
  auto const found = held_out_.find(item.id);
  return found != held_out_.end() && found->second.sequence == item.sequence && Clock::now() < found->second.until;
}

EdgeAgent::PutOff& EdgeAgent::put_off(PutOffs& where, BundleItem const& item, std::string reason) {
  PutOff& one = where[item.id];
  one.tries = one.sequence == item.sequence ? one.tries + 1 : 1;
  one.sequence = item.sequence;
  auto const growth = 1U << std::min(one.tries - 1, 16U);
  one.until = Clock::now() + std::min<Clock::duration>(settings_.retry_limit, settings_.retry_first * growth);
  if (one.reason != reason) {
    process::log::warning(component, "a bundle is put off id={} sequence={} error=\"{}\"", item.id, item.sequence,
                          reason);
  }
  one.reason = std::move(reason);
  one.unserved = false;
  return one;
}

bool EdgeAgent::is_put_off(PutOffs const& where, BundleItem const& item) const {
  auto const found = where.find(item.id);
  return found != where.end() && found->second.sequence == item.sequence && began_ < found->second.until;
}

milliseconds EdgeAgent::until_due() const {
  auto first = Clock::time_point::max();
  for (PutOffs const* const all : {&unfetched_, &unproved_}) {
    for (auto const& [id, one] : *all) {
      first = std::min(first, one.until);
    }
  }
  auto const now = Clock::now();
  return first == Clock::time_point::max() ? milliseconds(std::chrono::hours(1))
                                           : std::chrono::ceil<milliseconds>(std::max(first, now) - now);
}

// A web server that has the name elsewhere is not reloaded for ever.
void EdgeAgent::take_up_due() {
  for (auto const& [id, one] : unfetched_) {
    if (one.until <= began_) {
      pending_.insert(id);
    }
  }
  for (auto const& [id, one] : unproved_) {
    if (one.until <= began_) {
      pending_.insert(id);
      reload_owed_ = reload_owed_ || (one.unserved && one.tries <= reloads_max);
    }
  }
}

void EdgeAgent::forget_unlisted() {
  auto const unlisted = [this](auto const& one) { return !client_.items().contains(one.first); };
  std::erase_if(held_out_, unlisted);
  std::erase_if(unfetched_, unlisted);
  std::erase_if(unproved_, unlisted);
}

void EdgeAgent::hold_out(BundleItem const& item, std::string reason) {
  process::log::error(component, "the web server refuses a bundle, which is kept out id={} sequence={} error=\"{}\"",
                      item.id, item.sequence, reason);
  held_out_[item.id] = {item.sequence, Clock::now() + held_out_for, std::move(reason)};
}

// First without any of them: a web server that refuses what it had before says nothing about bundles. A bundle that is
// bad costs two reloads for each halving; what is left when there were too many is the next pass's.
net::Task<base::Result<void>> EdgeAgent::activate_apart(std::vector<BundleItem> staged, std::vector<std::string> gone) {
  reload_owed_ = true;  // also when nothing is written
  std::vector<BundleItem> part;
  std::vector<std::string> const none;
  base::Result<void> result = co_await activate(part, gone);
  if (!result) {
    co_return result;
  }
  note(result, clear_away(gone));
  std::vector<std::vector<BundleItem>> parts;
  auto const halve = [&parts](std::vector<BundleItem> const& whole) {
    auto const middle = whole.begin() + static_cast<std::ptrdiff_t>((whole.size() + 1) / 2);
    parts.emplace_back(middle, whole.end());
    parts.emplace_back(whole.begin(), middle);
    std::erase_if(parts, [](auto const& one) { return one.empty(); });
  };
  halve(staged);
  std::size_t reloads = 0;
  for (; !parts.empty() && reloads < apart_max && !stopped_; ++reloads) {
    part = std::move(parts.back());
    parts.pop_back();
    base::Result<void> const active = co_await activate(part, none);
    if (active) {
      activated(part);
    } else if (active.error().code != errc::reload_failed) {
      note(result, active);
    } else if (part.size() == 1) {
      hold_out(part.front(), active.error().what());
    } else {
      halve(part);
    }
  }
  if (!parts.empty()) {
    note(result,
         base::fail(errc::reload_failed, "more bundles are left after " + std::to_string(reloads) + " reloads"));
  }
  co_return result;
}

// What the web server gets of these: as the list says which of them are leaving, each name once.
std::vector<BundleItem> EdgeAgent::served(Client::Items const& items) const {
  std::vector<BundleItem> out;
  for (auto const& [id, item] : items) {
    auto const listed = client_.items().find(id);
    out.push_back(item);
    out.back().leaving = listed != client_.items().end() && listed->second.leaving;
  }
  return each_name_once(std::move(out));
}

bool EdgeAgent::is_settled(BundleItem const& item) const {
  auto const found = acknowledged_.find(item.id);
  return found != acknowledged_.end() && found->second.fingerprint == item.fingerprint &&
         found->second.sequence == item.sequence;
}

net::Task<base::Result<void>> EdgeAgent::fetch(BundleItem item) {
  auto const bundle = co_await client_.fetch(std::move(item));
  co_return bundle ? installation_.stage(*bundle) : base::Result<void>(bundle.error());
}

net::Task<base::Result<void>> EdgeAgent::activate(std::vector<BundleItem> staged, std::vector<std::string> gone) {
  Before before;
  Client::Items then = observed_;
  for (std::string const& id : gone) {
    then.erase(id);
  }
  for (BundleItem const& item : staged) {
    then[item.id] = item;
  }
  std::vector<BundleItem> const serve = served(then);
  base::Result<void> result;
  for (BundleItem const& item : staged) {
    before.live[item.id] = installation_.live(item.id);
    note(result, installation_.make_live(item.id, item.fingerprint));
  }
  bool changed = !staged.empty() || !gone.empty();
  if (result) {
    result = write_includes(serve, before, changed);
  }
  if (result && (changed || reload_owed_)) {
    result = co_await run_hook();
  }
  if (!result) {
    note(result, roll_back(before));
  }
  co_return result;
}

base::Result<void> EdgeAgent::write_includes(std::vector<BundleItem> const& serve, Before& before, bool& changed) {
  std::array<std::pair<std::string, std::string>, 3> const wanted{
      {{settings_.nginx_file, render_nginx(serve, settings_.nginx)},
       {settings_.haproxy_file, render_haproxy(serve, settings_.directory)},
       {settings_.caddy_file, render_caddy(serve, settings_.directory)}}};
  for (auto const& [file, text] : wanted) {
    if (file.empty()) {
      continue;
    }
    auto present = process::read_file(file);
    if (present && *present == text) {
      continue;
    }
    before.includes[file] = present ? std::optional(std::move(*present)) : std::nullopt;
    changed = true;
    if (auto const written = process::write_file_atomically(file, text, 0644); !written) {
      return written;
    }
  }
  return {};
}

net::Task<base::Result<void>> EdgeAgent::run_hook() {
  if (settings_.reload.empty()) {
    co_return base::Result<void>();
  }
  auto const began = Clock::now();
  auto const child = co_await process::run_child(settings_.reload, settings_.reload_deadline);
  pace_.reloaded(began, Clock::now());
  if (!child) {
    co_return base::fail(errc::reload_failed, child.error().what());
  }
  if (child->exit_code != 0) {
    std::string const output =
        child->output.substr(child->output.size() - std::min<std::size_t>(500, child->output.size()));
    co_return base::fail(errc::reload_failed,
                         settings_.reload.front() + " ended with " + std::to_string(child->exit_code) + ": " + output);
  }
  reload_owed_ = false;
  co_return base::Result<void>();
}

base::Result<void> EdgeAgent::roll_back(Before const& before) {
  base::Result<void> result;
  for (auto const& [id, fingerprint] : before.live) {
    note(result, installation_.make_live(id, fingerprint));
  }
  for (auto const& [file, text] : before.includes) {
    if (text) {
      note(result, process::write_file_atomically(file, *text, 0644));
    } else if (unlink(file.c_str()) != 0 && errno != ENOENT) {
      note(result, base::fail_errno(errno, "cannot remove " + file));
    }
  }
  return result;
}

base::Result<void> EdgeAgent::clear_away(std::vector<std::string> const& gone) {
  base::Result<void> result;
  for (std::string const& id : gone) {
    note(result, installation_.remove(id));
    observed_.erase(id);
    acknowledged_.erase(id);
    process::log::info(component, "bundle removed id={}", id);
  }
  return result;
}

// What is to be proved now, first what was not put off before.
std::vector<BundleItem> EdgeAgent::unsettled() const {
  if (std::ranges::all_of(observed_, [this](auto const& one) { return is_settled(one.second); })) {
    return {};
  }
  std::vector<BundleItem> open = served(observed_);  // one whose names are all another's is not
  std::erase_if(open, [this](BundleItem const& item) { return is_settled(item) || is_put_off(unproved_, item); });
  std::ranges::stable_partition(open, [this](BundleItem const& item) { return !unproved_.contains(item.id); });
  return open;
}

// Reloads take effect when the web server has new workers, so the proof is looked for until the deadline; a tenth of it
// when all that is left was not served before, so that others wait no longer for it than that.
net::Task<base::Result<void>> EdgeAgent::prove_all() {
  constexpr int share = 10;
  auto const begin = Clock::now();
  milliseconds pause{20};
  base::Result<void> result;
  std::vector<BundleItem> open = unsettled();
  for (;;) {
    std::map<std::string, std::string> reasons;
    for (BundleItem const& item : std::vector<BundleItem>(open)) {
      auto const served = co_await served_fingerprint(settings_.probe_address, settings_.probe_port, probe_name(item),
                                                      std::min(settings_.proof_deadline, milliseconds(2000)));
      if (!served || *served != item.fingerprint) {
        auto const failed =
            base::fail(errc::not_served, served ? "another certificate is served" : served.error().what());
        reasons[item.id] = failed.what();
        continue;
      }
      auto const told = co_await acknowledge(item);
      if (!told && is_its_own(told.error())) {
        put_off(unproved_, item, told.error().what());
      } else {
        note(result, told);
      }
      std::erase(open, item);
    }
    bool const fresh = std::ranges::any_of(open, [this](auto const& item) { return !unproved_.contains(item.id); });
    if (open.empty() || stopped_) {
      co_return result;
    }
    if (Clock::now() >= begin + settings_.proof_deadline / (fresh ? 1 : share)) {
      for (BundleItem const& item : open) {
        put_off(unproved_, item, reasons[item.id]).unserved = true;
      }
      co_return result;
    }
    co_await net::wait_for(pause);
    pause = std::min(pause * 3 / 2, milliseconds(1000));
  }
}

net::Task<base::Result<void>> EdgeAgent::acknowledge(BundleItem item) {
  auto const told = co_await client_.acknowledge(item);
  bool const taken = told.has_value();
  if (!taken && told.error().code != errc::stale) {
    co_return told;
  }
  // One that is expired is served all the same, and asking again would only slow everybody else's.
  acknowledged_[item.id] = {item.fingerprint, item.sequence, taken};
  unproved_.erase(item.id);
  process::log::info(component, "bundle served{} id={} fingerprint={}", taken ? " and acknowledged" : ", not accepted",
                     item.id, item.fingerprint);
  auto const pruned = installation_.prune(item.id);
  if (!pruned) {
    process::log::warning(component, "former versions stay id={} error=\"{}\"", item.id, pruned.error().what());
  }
  co_return base::Result<void>();
}

}  // namespace edge
