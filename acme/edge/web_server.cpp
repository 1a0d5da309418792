#include "acme/edge/web_server.hpp"

#include <algorithm>
#include <set>
#include <tuple>

namespace edge {
namespace {

constexpr char const* heading = "# Written by privateer from Navigator's bundles; changes are overwritten.\n";

std::string joined(std::vector<std::string> const& names, std::string const& between) {
  std::string text;
  for (std::string const& name : names) {
    text += (text.empty() ? "" : between) + name;
  }
  return text;
}

}  // namespace

std::vector<BundleItem> each_name_once(std::vector<BundleItem> bundles) {
  std::ranges::sort(bundles, [](BundleItem const& one, BundleItem const& other) {
    return std::tie(one.leaving, other.sequence, one.id) < std::tie(other.leaving, one.sequence, other.id);
  });
  std::set<std::string> taken;
  for (BundleItem& item : bundles) {
    std::erase_if(item.names, [&taken](std::string const& name) { return !taken.insert(name).second; });
  }
  std::erase_if(bundles, [](BundleItem const& item) { return item.names.empty(); });
  std::ranges::sort(bundles, {}, &BundleItem::id);
  return bundles;
}

std::string render_haproxy(std::vector<BundleItem> bundles, std::string const& directory) {
  bundles = each_name_once(std::move(bundles));
  std::string text = heading;
  for (BundleItem const& item : bundles) {
    text += directory + "/" + item.id + "/live/haproxy.pem " + joined(item.names, " ") + "\n";
  }
  return text;
}

std::string render_caddy(std::vector<BundleItem> bundles, std::string const& directory) {
  bundles = each_name_once(std::move(bundles));
  std::string text = heading;
  for (BundleItem const& item : bundles) {
    std::string const version = directory + "/" + item.id + "/" + item.fingerprint;
    text += "\n# " + item.id + "\n" + joined(item.names, ", ") + " {\n\ttls \"" + version + "/fullchain.pem\" \"" +
            version + "/privkey.pem\"\n\timport tenant " + item.tenant + " " + item.id + "\n}\n";
  }
  return text;
}

}  // namespace edge
