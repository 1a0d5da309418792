#include "mesh/guard/rules.hpp"

#include "base/process/service.hpp"
#include "base/result/category.hpp"
#include "mesh/enrolment/token.hpp"
#include "mesh/wireguard/kernel/netlink_socket.hpp"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

namespace guard {
namespace {

constexpr std::chrono::milliseconds deadline{10000};

char const* message(int) {
  return "nft";
}

std::string first_line(std::string const& text) {
  return text.substr(0, text.find('\n'));
}

std::string mark_of(std::string const& text, std::string const& listing) {
  return enrolment::sha256_hex(text) + " " + enrolment::sha256_hex(listing) + "\n";
}

net::Task<base::Result<process::ChildResult>> run(std::vector<std::string> argv) {
  auto const program = argv.front();
  auto result = co_await process::run_child(std::move(argv), deadline);
  if (!result) {
    co_return base::fail(errc::rules, program + " does not run: " + result.error().what());
  }
  co_return result;
}

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static base::Category const category("guard", message);
  return {static_cast<int>(code), category};
}

std::optional<std::uint32_t> generation_of_rules() {
  auto socket = wireguard::netlink::Socket::open(NETLINK_NETFILTER);
  if (!socket) {
    return std::nullopt;
  }
  struct Request {
    nlmsghdr header;
    nfgenmsg generic;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETGEN;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  std::vector<std::uint8_t> bytes(sizeof request);
  std::memcpy(bytes.data(), &request, sizeof request);
  std::optional<std::uint32_t> out;
  auto const take = [&out](std::span<std::uint8_t const> answer) {
    auto at = sizeof(nlmsghdr) + sizeof(nfgenmsg);
    while (at + sizeof(nlattr) <= answer.size()) {
      nlattr attribute{};
      std::memcpy(&attribute, answer.data() + at, sizeof attribute);
      if (attribute.nla_len < sizeof attribute || at + attribute.nla_len > answer.size()) {
        return;
      }
      if (attribute.nla_type == NFTA_GEN_ID && attribute.nla_len == sizeof attribute + sizeof(std::uint32_t)) {
        std::uint32_t number = 0;
        std::memcpy(&number, answer.data() + at + sizeof attribute, sizeof number);
        out = ntohl(number);
      }
      at += NLA_ALIGN(attribute.nla_len);
    }
  };
  return socket->exchange(bytes, take) == 0 ? out : std::nullopt;
}

bool is_installed(std::string const& program) {
  if (program.find('/') != std::string::npos) {
    return ::access(program.c_str(), X_OK) == 0;
  }
  auto const* const variable = std::getenv("PATH");
  std::string const folders = variable != nullptr ? variable : "/usr/sbin:/usr/bin:/sbin:/bin";
  for (std::size_t at = 0; at <= folders.size();) {
    auto const end = std::min(folders.find(':', at), folders.size());
    if (::access((folders.substr(at, end - at) + "/" + program).c_str(), X_OK) == 0) {
      return true;
    }
    at = end + 1;
  }
  return false;
}

namespace {

constexpr std::array device_sets{"links", "neighbours4", "neighbours6"};

// Where a set of the text begins and ends, and its elements, as plan::nftables_text writes them.
struct Set {
  std::size_t begin = std::string::npos;
  std::size_t end = 0;       // of the line that closes it
  std::size_t elements = 0;  // where the line of its elements is, or would be
  std::vector<std::string> items;
};

Set find_set(std::string const& text, std::string const& name) {
  Set out;
  out.begin = text.find("  set " + name + " {\n");
  out.end = out.begin == std::string::npos ? out.begin : text.find("\n  }\n", out.begin);
  if (out.end == std::string::npos) {
    out.begin = std::string::npos;
    return out;
  }
  constexpr std::string_view head = "    elements = { ";
  constexpr std::string_view between = ",\n      ";
  out.elements = text.find(head, out.begin);
  if (out.elements > out.end) {
    out.elements = out.end + 1;
    return out;
  }
  auto items = text.substr(out.elements + head.size(), text.rfind(" }", out.end) - out.elements - head.size());
  for (std::size_t at = 0; at <= items.size();) {
    auto const end = std::min(items.find(between, at), items.size());
    out.items.push_back(items.substr(at, end - at));
    at = end + between.size();
  }
  return out;
}

// The text without comments and without the elements of the sets of devices.
std::string frame_of(std::string text) {
  for (auto const* const name : device_sets) {
    if (auto const set = find_set(text, name); set.begin != std::string::npos) {
      text.erase(set.elements, set.end + 1 - set.elements);
    }
  }
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    auto const end = std::min(text.find('\n', at), text.size());
    auto const line = std::string_view(text).substr(at, end - at);
    if (auto const first = line.find_first_not_of(' '); first != std::string_view::npos && line[first] != '#') {
      out += std::string(line) + "\n";
    }
    at = end + 1;
  }
  return out;
}

// "add element inet privateer links { ... }" of what is in `now` and not in `before`; empty when there is nothing.
std::string elements_command(char const* command, std::string const& name, std::vector<std::string> const& before,
                             std::vector<std::string> const& now) {
  std::string items;
  for (auto const& item : now) {
    if (std::find(before.begin(), before.end(), item) == before.end()) {
      items += (items.empty() ? "" : ", ") + item;
    }
  }
  return items.empty() ? items
                       : std::string(command) + " element inet " + Rules::table + " " + name + " { " + items + " }\n";
}

}  // namespace

std::optional<std::string> in_place(std::string const& before, std::string const& now) {
  if (frame_of(before) != frame_of(now)) {
    return std::nullopt;
  }
  std::string out;
  for (auto const* const name : device_sets) {
    auto const old_items = find_set(before, name).items;
    auto const new_items = find_set(now, name).items;
    out += elements_command("add", name, old_items, new_items);
    out += elements_command("delete", name, new_items, old_items);
  }
  return out;
}

namespace {

std::string device_of(std::string const& item) {
  return item.substr(1, item.find('"', 1) - 1);
}

// The set found in the text, with its items as they are now.
void write_items(std::string& text, Set const& set) {
  std::string line;
  for (auto const& item : set.items) {
    line += (line.empty() ? "    elements = { " : ",\n      ") + item;
  }
  text.replace(set.elements, set.end + 1 - set.elements, line.empty() ? line : line + " }\n");
}

}  // namespace

std::string with_departing(std::string text, std::string const& before, std::set<std::string> const& devices) {
  for (auto const* const name : device_sets) {
    auto set = find_set(text, name);
    if (set.begin == std::string::npos) {
      continue;
    }
    for (auto const& item : find_set(before, name).items) {
      if (devices.contains(device_of(item)) && std::find(set.items.begin(), set.items.end(), item) == set.items.end()) {
        set.items.push_back(item);
      }
    }
    write_items(text, set);
  }
  return text;
}

std::string without_devices(std::string text, std::set<std::string> const& devices) {
  for (auto const* const name : device_sets) {
    auto set = find_set(text, name);
    if (set.begin != std::string::npos) {
      std::erase_if(set.items, [&](std::string const& item) { return devices.contains(device_of(item)); });
      write_items(text, set);
    }
  }
  return text;
}

Rules::Rules(std::vector<std::string> command, std::string const& state_directory)
    : command_(std::move(command)),
      text_file_(state_directory + "/rules.nft"),
      marker_file_(state_directory + "/rules.applied") {
  auto text = process::read_file(text_file_);
  auto const marker = process::read_file(marker_file_);
  if (text && marker && marker->starts_with(enrolment::sha256_hex(*text) + " ")) {
    right_ = std::move(*text);
  }
}

// What nft prints of the table, without its counters; empty when there is none.
net::Task<base::Result<std::string>> Rules::list() {
  auto argv = command_;
  for (auto const* const word : {"-s", "list", "table", "inet", table}) {
    argv.emplace_back(word);
  }
  auto result = co_await run(std::move(argv));
  if (!result) {
    co_return result.error();
  }
  co_return result->exit_code == 0 ? std::move(result->output) : std::string();
}

net::Task<base::Result<void>> Rules::load(std::string text, std::string file) {
  if (auto written = process::write_file_atomically(file, text, 0644); !written) {
    co_return written;
  }
  auto argv = command_;
  argv.emplace_back("-f");
  argv.push_back(file);
  auto const taken = co_await run(std::move(argv));
  if (!taken) {
    co_return taken.error();
  }
  if (taken->exit_code != 0) {
    co_return base::fail(errc::rules, "the rules are refused: " + first_line(taken->output));
  }
  co_return base::Result<void>();
}

net::Task<base::Result<Rules::Found>> Rules::look(std::string text) {
  auto const listing = co_await list();
  if (!listing) {
    co_return listing.error();
  }
  auto const marker = process::read_file(marker_file_);
  if (listing->empty()) {
    co_return Found::absent;
  }
  if (marker && *marker == mark_of(text, *listing)) {
    co_return Found::right;
  }
  co_return marker && !right_.empty() && *marker == mark_of(right_, *listing) ? Found::other_text : Found::damaged;
}

net::Task<base::Result<bool>> Rules::converge(std::string text) {
  auto const generation = generation_of_rules();
  if (generation && generation == generation_ && text == right_) {
    co_return false;
  }
  auto listing = co_await list();
  if (!listing) {
    co_return listing.error();
  }
  auto const marker = process::read_file(marker_file_);
  if (!listing->empty() && marker && *marker == mark_of(text, *listing)) {
    generation_ = generation;
    right_ = std::move(text);
    co_return false;
  }
  bool const as_before = !right_.empty() && marker && !listing->empty() && *marker == mark_of(right_, *listing);
  auto const change = as_before ? in_place(right_, text) : std::nullopt;
  base::Result<void> taken;
  if (change && !change->empty()) {
    taken = co_await load(*change, text_file_ + ".change");
  }
  if (change && taken) {
    taken = process::write_file_atomically(text_file_, text, 0644);  // what the next start reads
  }
  if (!change || !taken) {
    taken = co_await load(text, text_file_);
  }
  if (!taken) {
    co_return taken.error();
  }
  listing = co_await list();
  if (!listing) {
    co_return listing.error();
  }
  // The generation is not kept: whoever changed something since the write is seen by the next look.
  generation_.reset();
  right_ = text;
  bool const same = change && change->empty();
  if (auto written = process::write_file_atomically(marker_file_, mark_of(text, *listing), 0644); !written) {
    co_return written.error();
  }
  co_return !same;
}

}  // namespace guard
