#include "acme/edge/web_server.hpp"

#include <algorithm>

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

std::string render_haproxy(std::vector<BundleItem> bundles, std::string const& directory) {
  std::ranges::sort(bundles, {}, &BundleItem::id);
  std::string text = heading;
  for (BundleItem const& item : bundles) {
    text += directory + "/" + item.id + "/live/haproxy.pem " + joined(item.names, " ") + "\n";
  }
  return text;
}

std::string render_caddy(std::vector<BundleItem> bundles, std::string const& directory) {
  std::ranges::sort(bundles, {}, &BundleItem::id);
  std::string text = heading;
  for (BundleItem const& item : bundles) {
    std::string const version = directory + "/" + item.id + "/" + item.fingerprint;
    text += "\n# " + item.id + "\n" + joined(item.names, ", ") + " {\n\ttls \"" + version + "/fullchain.pem\" \"" +
            version + "/privkey.pem\"\n\timport tenant " + item.tenant + " " + item.id + "\n}\n";
  }
  return text;
}

}  // namespace edge
