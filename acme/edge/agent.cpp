#include "acme/edge/agent.hpp"

#include "acme/edge/handshake.hpp"
#include "acme/edge/web_server.hpp"
#include "base/process/log.hpp"
#include "base/process/service.hpp"

#include <boost/json.hpp>

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

base::Failure refused(std::string const& what, net::HttpResponse const& response) {
  return base::fail(errc::refused,
                    what + ": status " + std::to_string(response.status) + " " + response.body.substr(0, 200));
}

// Keeps the first failure of several steps that do not depend on each other.
void note(base::Result<void>& first, base::Result<void> const& step) {
  if (first && !step) {
    first = step.error();
  }
}

net::HttpClientSettings http_settings(AgentSettings const& settings) {
  net::HttpClientSettings http;
  http.tls = settings.tls;
  http.response_limit = 16U << 20U;
  http.user_agent = "sovereign-privateer/" SOVEREIGN_VERSION;
  return http;
}

}  // namespace

EdgeAgent::EdgeAgent(net::asio::any_io_executor executor, AgentSettings settings)
    : settings_(std::move(settings)),
      installation_(settings_.directory, {!settings_.haproxy_file.empty(), settings_.key_group}),
      http_(executor, http_settings(settings_)),
      stopping_(executor),
      backoff_(settings_.retry_first, settings_.retry_limit) {
  settings_.nginx.directory = settings_.directory;
}

net::Task<void> EdgeAgent::run() {
  std::mt19937 random{std::random_device{}()};
  std::int64_t since = 0;
  while (!stopped_) {
    auto list = co_await fetch_list(since);
    base::Result<void> done;
    if (list) {
      std::int64_t const sequence = list->sequence;
      done = co_await pass(std::move(*list));
      since = done ? sequence : 0;  // after a failure the list is asked for at once, not waited for
    } else {
      done = list.error();
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
  stopping_.notify();
}

AgentStatus EdgeAgent::status() const {
  AgentStatus status;
  status.navigator = answered_ ? settings_.navigators[navigator_] : std::string();
  status.last_error = last_error_;
  for (BundleItem const& item : observed_) {
    auto const found = acknowledged_.find(item.id);
    bool const acknowledged = found != acknowledged_.end() && found->second == item.fingerprint;
    status.bundles.push_back({item.id, item.tenant, item.fingerprint, acknowledged});
  }
  return status;
}

net::Task<base::Result<void>> EdgeAgent::pass(BundleList list) {
  auto observed = installation_.observe();
  if (!observed) {
    co_return observed.error();
  }
  observed_ = std::move(*observed);
  Difference const wanted = difference(list.bundles, observed_);
  base::Result<void> result;
  std::vector<BundleItem> staged;
  for (BundleItem const& item : wanted.fetch) {
    auto const fetched = co_await fetch(item);
    note(result, fetched);
    if (fetched) {
      staged.push_back(item);
    }
  }
  auto const active = co_await activate(std::move(staged), wanted.remove);
  note(result, active);
  if (active) {
    note(result, clear_away(wanted.remove));
  }
  auto now = installation_.observe();
  if (!now) {
    co_return now.error();
  }
  observed_ = std::move(*now);
  auto const proved = co_await prove_all();
  note(result, proved);
  co_return result;
}

// Tries the Navigators in turn, beginning with the one that answered last; one that answers 5xx counts as down.
net::Task<base::Result<net::HttpResponse>> EdgeAgent::call(std::string method, std::string target, std::string body,
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

net::Task<base::Result<BundleList>> EdgeAgent::fetch_list(std::int64_t since) {
  milliseconds const wait = since == 0 ? milliseconds(0) : settings_.long_poll;
  std::string const target =
      "/v1/edge/bundles?since=" + std::to_string(since) + "&wait_ms=" + std::to_string(wait.count());
  auto const response = co_await call("GET", target, std::string(), wait + settings_.call_deadline);
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

net::Task<base::Result<void>> EdgeAgent::fetch(BundleItem item) {
  auto const response = co_await call("GET", "/v1/edge/bundles/" + item.id, std::string(), settings_.call_deadline);
  if (!response) {
    co_return response.error();
  }
  if (response->status != 200) {
    co_return refused("bundle " + item.id, *response);
  }
  auto const bundle = parse_bundle(response->body);
  if (!bundle) {
    co_return base::fail(errc::bad_bundle, "bundle " + item.id + ": " + base::text(bundle.error()));
  }
  // A certificate that was renewed between list and download comes with the next list.
  if (bundle->item != item) {
    co_return base::fail(errc::bad_bundle, "bundle " + item.id + " changed meanwhile");
  }
  auto const good = verify(*bundle);
  if (!good) {
    co_return good;
  }
  co_return installation_.stage(*bundle);
}

net::Task<base::Result<void>> EdgeAgent::activate(std::vector<BundleItem> staged, std::vector<std::string> gone) {
  Before before;
  std::vector<BundleItem> serve = observed_;
  std::erase_if(serve, [&](BundleItem const& item) {
    return std::ranges::find(gone, item.id) != gone.end() ||
           std::ranges::find(staged, item.id, &BundleItem::id) != staged.end();
  });
  serve.insert(serve.end(), staged.begin(), staged.end());
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
  auto const child = co_await process::run_child(settings_.reload, settings_.reload_deadline);
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
    acknowledged_.erase(id);
    process::log::info(component, "bundle removed id={}", id);
  }
  return result;
}

// Reloads take effect when the web server has new workers, so the proof is looked for until the deadline.
net::Task<base::Result<void>> EdgeAgent::prove_all() {
  auto const end = Clock::now() + settings_.proof_deadline;
  milliseconds pause{20};
  base::Result<void> result;
  std::vector<BundleItem> open = observed_;
  for (;;) {
    std::string reason;
    for (BundleItem const& item : std::vector<BundleItem>(open)) {
      auto const known = acknowledged_.find(item.id);
      if (known != acknowledged_.end() && known->second == item.fingerprint) {
        std::erase(open, item);
        continue;
      }
      auto const served = co_await served_fingerprint(settings_.probe_address, settings_.probe_port, probe_name(item),
                                                      std::min(settings_.proof_deadline, milliseconds(2000)));
      if (served && *served == item.fingerprint) {
        auto const told = co_await acknowledge(item);
        note(result, told);
        std::erase(open, item);
      } else {
        reason = item.id + ": " + (served ? "another certificate is served" : served.error().what());
      }
    }
    if (open.empty() || stopped_) {
      co_return result;
    }
    if (Clock::now() >= end) {
      reload_owed_ = true;
      note(result, base::fail(errc::not_served, reason));
      co_return result;
    }
    co_await net::wait_for(pause);
    pause = std::min(pause * 3 / 2, milliseconds(1000));
  }
}

net::Task<base::Result<void>> EdgeAgent::acknowledge(BundleItem item) {
  boost::json::object body;
  body["id"] = item.id;
  body["fingerprint"] = item.fingerprint;
  body["sequence"] = item.sequence;
  std::string text = boost::json::serialize(body);
  auto const response = co_await call("POST", "/v1/edge/acknowledgments", std::move(text), settings_.call_deadline);
  if (!response) {
    co_return response.error();
  }
  if (response->status != 204 && response->status != 200) {
    co_return refused("acknowledgment of " + item.id, *response);
  }
  acknowledged_[item.id] = item.fingerprint;
  process::log::info(component, "bundle served and acknowledged id={} fingerprint={}", item.id, item.fingerprint);
  auto const pruned = installation_.prune(item.id);
  if (!pruned) {
    process::log::warning(component, "former versions stay id={} error=\"{}\"", item.id, pruned.error().what());
  }
  co_return base::Result<void>();
}

}  // namespace edge
