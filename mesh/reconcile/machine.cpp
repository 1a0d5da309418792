#include "mesh/reconcile/machine.hpp"

#include "base/process/service.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace reconcile {
namespace {

namespace fs = std::filesystem;
using wireguard::Network;

constexpr std::string_view all_rp_filter = "net/ipv4/conf/all/rp_filter";
constexpr std::string_view all_forwarding6 = "net/ipv6/conf/all/forwarding";

bool contains(std::vector<Network> const& list, Network const& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// Files below /proc/sys want one write and have no rename.
base::Result<void> write_setting(std::string const& path, std::string const& value) {
  int const fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) {
    return base::fail_errno(errno, "setting " + path + " to " + value);
  }
  auto const written = ::write(fd, value.data(), value.size());
  int const code = written == static_cast<ssize_t>(value.size()) ? 0 : (written < 0 ? errno : EIO);
  ::close(fd);
  if (code != 0) {
    return base::fail_errno(code, "setting " + path + " to " + value);
  }
  return {};
}

base::Result<std::string> read_setting(std::string const& path) {
  auto text = process::read_file(path, 4096);
  if (text) {
    while (!text->empty() && (text->back() == '\n' || text->back() == ' ')) {
      text->pop_back();
    }
  }
  return text;
}

bool is_one(std::string const& path) {
  auto const text = read_setting(path);
  return text && *text == "1";
}

base::Result<void> keep_filters_of_others(std::string const& root, std::string const& value,
                                          std::set<std::string> const& ours) {
  std::error_code error;
  for (auto const& entry : fs::directory_iterator(root + "/net/ipv4/conf", error)) {
    auto const name = entry.path().filename().string();
    if (name == "all" || name == "lo" || ours.contains(name)) {
      continue;
    }
    auto const path = entry.path().string() + "/rp_filter";
    auto const own = read_setting(path);
    if (own && *own < value) {  // one digit, 0 to 2: the kernel takes the larger
      if (auto written = write_setting(path, value); !written) {
        return written;
      }
    }
  }
  return {};
}

// A host's default route out of router advertisements is dropped when forwarding begins, unless accept_ra is 2 by then.
base::Result<void> keep_advertised_routes(std::string const& root, std::set<std::string> const& ours) {
  std::error_code error;
  for (auto const& entry : fs::directory_iterator(root + "/net/ipv6/conf", error)) {
    auto const name = entry.path().filename().string();
    auto const path = entry.path().string() + "/accept_ra";
    bool const one_of_others = name != "all" && name != "default" && name != "lo" && !ours.contains(name);
    if (!one_of_others || !is_one(path)) {
      continue;
    }
    if (auto written = write_setting(path, "2"); !written) {
      return written;
    }
  }
  return {};
}

}  // namespace

AddressChanges loopback_changes(std::vector<Network> const& wanted, std::vector<Network> const& observed,
                                std::vector<Network> const& owned) {
  AddressChanges out;
  for (auto const& address : wanted) {
    if (!contains(observed, address)) {
      out.add.push_back(address);
    }
  }
  for (auto const& address : owned) {
    if (!contains(wanted, address) && contains(observed, address)) {
      out.remove.push_back(address);
    }
  }
  return out;
}

std::vector<Network> parse_owned(std::string_view text) {
  std::vector<Network> out;
  while (!text.empty()) {
    auto const end = text.find('\n');
    if (auto const network = wireguard::parse_network(text.substr(0, end))) {
      out.push_back(*network);
    }
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return out;
}

std::string owned_text(std::vector<Network> networks) {
  std::sort(networks.begin(), networks.end());
  std::string out;
  for (auto const& network : networks) {
    out += network.text() + "\n";
  }
  return out;
}

base::Result<bool> apply_sysctl(plan::Sysctl const& sysctl, std::set<std::string> const& ours,
                                std::string const& root) {
  auto const path = root + "/" + sysctl.path;
  auto const present = read_setting(path);
  if (!present) {
    if (!sysctl.required) {
      return false;
    }
    return present.error();
  }
  if (*present == sysctl.value) {
    return false;
  }
  if (sysctl.path == all_rp_filter) {
    if (auto kept = keep_filters_of_others(root, *present, ours); !kept) {
      return kept.error();
    }
  }
  if (sysctl.path == all_forwarding6 && sysctl.value == "1") {
    if (auto kept = keep_advertised_routes(root, ours); !kept) {
      return kept.error();
    }
  }
  if (auto written = write_setting(path, sysctl.value); !written) {
    return written.error();
  }
  return true;
}

}  // namespace reconcile
