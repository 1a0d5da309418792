#include "mesh/settings/settings.hpp"

#include "base/config/reader.hpp"
#include "base/http_client/http_client.hpp"
#include "base/process/service.hpp"

#include <algorithm>
#include <charconv>

namespace privateer {
namespace {

// A change of a node's key keeps its neighbourhood busy for some twenty seconds.
constexpr std::int64_t rotate_after_least_s = 3600;
// Nodes report every ten seconds.
constexpr std::int64_t cost_hold_least_s = 10;
constexpr std::int64_t cost_hold_most_s = 86400;

bool is_label(std::string_view text) {
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

void check_path(config::Reader& reader, std::string const& key, std::string const& path) {
  if (!path.empty() && path.front() != '/') {
    reader.fail(key, config::quoted(path) + " is not an absolute path", "begin it with '/'");
  }
}

// sockaddr_un holds 107 characters and a zero.
void check_socket(config::Reader& reader, std::string const& key, std::string const& path) {
  check_path(reader, key, path);
  if (path.size() > 107) {
    reader.fail(key, "a socket path has at most 107 characters");
  }
}

bool is_https(std::string const& text) {
  auto const url = net::parse_url(text);
  return url && url->scheme == "https";
}

void check_endpoint(config::Reader& reader, std::string const& key, std::string const& text) {
  if (!text.empty() && !wireguard::parse_endpoint(text)) {
    reader.fail(key, config::quoted(text) + " is not an address with a port", "for instance 127.0.0.1:443");
  }
}

void read_wireguard(config::Reader section, Settings& out) {
  out.wireguard.choice = section.choice<wireguard::BackendChoice>("backend",
                                                                  {{"auto", wireguard::BackendChoice::automatic},
                                                                   {"kernel", wireguard::BackendChoice::kernel},
                                                                   {"userspace", wireguard::BackendChoice::userspace}},
                                                                  wireguard::BackendChoice::automatic);
  out.wireguard.service = section.choice<wireguard::ServiceChoice>("service",
                                                                   {{"auto", wireguard::ServiceChoice::automatic},
                                                                    {"systemd", wireguard::ServiceChoice::systemd},
                                                                    {"child", wireguard::ServiceChoice::child}},
                                                                   wireguard::ServiceChoice::automatic);
  if (auto command = section.texts("command"); !command.empty()) {
    if (out.wireguard.service == wireguard::ServiceChoice::systemd) {
      section.fail("command", "it is for service: child, systemd starts what privateer-wireguard@.service says",
                   "leave it out, and give that unit an ExecStart= by systemctl edit");
    }
    out.wireguard.command = std::move(command);
  }
}

void read_bird(config::Reader section, Settings& out) {
  out.bird_config = section.text("config", out.bird_config);
  out.bird_control = section.text("control", out.bird_control);
  check_path(section, "config", out.bird_config);
  check_socket(section, "control", out.bird_control);
  out.bird_start = section.texts("start");
  // A BIRD that is not ours may not be allowed to write anywhere of ours, and would refuse its configuration.
  out.bird_sessions = section.text("sessions", out.bird_start.empty() ? "" : out.state + "/bird-sessions/log");
  check_path(section, "sessions", out.bird_sessions);
}

void read_rules(config::Reader section, Settings& out) {
  out.rules = section.choice<Settings::Rules>("keep",
                                              {{"auto", Settings::Rules::when_installed},
                                               {"always", Settings::Rules::always},
                                               {"never", Settings::Rules::never}},
                                              Settings::Rules::when_installed);
  if (auto command = section.texts("command"); !command.empty()) {
    out.rules_command = std::move(command);
  }
}

EdgeSettings read_edge(config::Reader section) {
  EdgeSettings out;
  out.navigators = section.texts("navigators");
  if (out.navigators.empty()) {
    section.fail("navigators", "at least one Navigator must be named", "for instance ['https://198.51.100.10:18010']");
  }
  for (std::size_t i = 0; i < out.navigators.size(); ++i) {
    if (!out.navigators[i].empty() && !is_https(out.navigators[i])) {
      section.fail_item("navigators", i, config::quoted(out.navigators[i]) + " is not an https URL");
    }
  }
  out.directory = section.text("directory");
  check_path(section, "directory", out.directory);
  out.nginx_file = section.text("nginx_file", std::string());
  check_path(section, "nginx_file", out.nginx_file);
  out.haproxy_file = section.text("haproxy_file", std::string());
  check_path(section, "haproxy_file", out.haproxy_file);
  out.caddy_file = section.text("caddy_file", std::string());
  check_path(section, "caddy_file", out.caddy_file);
  out.key_group = section.text("key_group", std::string());
  out.reload = section.texts("reload");
  out.name = section.text("name", std::string());
  auto const probe = section.text("probe", "127.0.0.1:443");
  check_endpoint(section, "probe", probe);
  if (auto const endpoint = wireguard::parse_endpoint(probe)) {
    out.probe = *endpoint;
  }
  return out;
}

void read_serve(config::Reader section, Settings& out) {
  if (auto const hold = section.text("cost_hold", std::string()); !hold.empty()) {
    auto const seconds = parse_duration_s(hold);
    out.serve_cost_hold_s = seconds.value_or(out.serve_cost_hold_s);
    if (!seconds || *seconds < cost_hold_least_s || *seconds > cost_hold_most_s) {
      section.fail("cost_hold", config::quoted(hold) + " is no duration of 10 s to a day", "for instance 5m");
    }
  }
  out.serve_listen = section.text("listen");
  check_endpoint(section, "listen", out.serve_listen);
  out.serve_unix = section.text("unix", out.serve_unix);
  check_socket(section, "unix", out.serve_unix);
  out.serve_state = section.text("state", out.serve_state);
  check_path(section, "state", out.serve_state);
  if (auto const root = section.text("root", std::string("here")); root == "elsewhere") {
    out.serve_root_elsewhere = true;
  } else if (root != "here") {
    section.fail("root", config::quoted(root) + " is neither 'here' nor 'elsewhere'",
                 "elsewhere: the root of the mesh's certificates is kept on another machine (privateer ca)");
  }
  if (auto const after = section.text("rotate_after", std::string()); !after.empty()) {
    auto const seconds = parse_duration_s(after);
    out.serve_rotate_after_s = seconds.value_or(0);
    if (!seconds || *seconds < rotate_after_least_s) {
      section.fail("rotate_after", config::quoted(after) + " is no duration of an hour or more", "for instance 30d");
    }
  }
}

}  // namespace

boost::system::result<Settings, base::Problems> parse_settings(std::string_view text, std::string const& source) {
  auto const document = config::Document::parse(text, source);
  if (!document) {
    return document.error();
  }
  base::Problems problems;
  config::Reader root(*document, problems);
  Settings out;
  out.node = root.text("node");
  if (!out.node.empty() && !is_label(out.node)) {
    root.fail("node", config::quoted(out.node) + " is not a node's name", "lower-case letters, digits and '-'");
  }
  out.state = root.text("state", out.state);
  check_path(root, "state", out.state);
  out.topology = root.text("topology", std::string());
  check_path(root, "topology", out.topology);
  if (auto section = root.optional_section("controller")) {
    out.controller_url = section->text("url");
    if (!out.controller_url.empty() && !is_https(out.controller_url)) {
      section->fail("url", config::quoted(out.controller_url) + " is not an https URL",
                    "for instance https://198.51.100.10:18012");
    }
  }
  auto agent = root.section("agent");
  out.agent_unix = agent.text("unix", out.agent_unix);
  check_socket(agent, "unix", out.agent_unix);
  out.agent_metrics = agent.text("metrics", std::string());
  check_endpoint(agent, "metrics", out.agent_metrics);
  read_wireguard(root.section("wireguard"), out);
  read_bird(root.section("bird"), out);
  read_rules(root.section("rules"), out);
  if (auto section = root.optional_section("edge")) {
    out.edge = read_edge(*section);
  }
  if (auto section = root.optional_section("names")) {
    out.names_navigator = section->text("navigator", std::string());
    check_path(*section, "navigator", out.names_navigator);
    out.names_hosts = section->text("hosts", std::string());
    check_path(*section, "hosts", out.names_hosts);
  }
  out.serve_state = out.state + "/controller";
  if (auto section = root.optional_section("serve")) {
    read_serve(*section, out);
  }
  root.finish();
  if (!problems.empty()) {
    return problems;
  }
  out.wireguard.log_directory = out.state + "/log";
  return out;
}

boost::system::result<Settings, base::Problems> load_settings(std::string const& path) {
  auto const text = process::read_file(path, config::max_document_bytes);
  if (!text) {
    return base::Problems{base::Problem{{path, 0, 0}, "", text.error().what(), "name another file with --config"}};
  }
  return parse_settings(*text, path);
}

std::optional<std::int64_t> parse_duration_s(std::string_view text) {
  std::int64_t number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 1 || number > 1'000'000'000) {
    return std::nullopt;
  }
  auto const unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (unit.empty() || unit == "s") {
    return number;
  }
  if (unit == "m") {
    return number * 60;
  }
  if (unit == "h") {
    return number * 3600;
  }
  if (unit == "d") {
    return number * 86400;
  }
  return std::nullopt;
}

}  // namespace privateer
