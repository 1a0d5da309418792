#include "acme/edge/nginx.hpp"

#include "acme/edge/web_server.hpp"

namespace edge {
namespace {

std::string replaced(std::string text, std::string const& word, std::string const& by) {
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + by.size())) {
    text.replace(at, word.size(), by);
  }
  return text;
}

// nginx's quoting: a backslash before '"' and '\'. Paths are the operator's, so this is care and not defence.
std::string quoted(std::string const& text) {
  return "\"" + replaced(replaced(text, "\\", "\\\\"), "\"", "\\\"") + "\"";
}

std::string render_server(BundleItem const& item, NginxSettings const& settings) {
  std::string text = "\n# " + item.id + "\nserver {\n";
  for (std::string const& listen : settings.listen) {
    text += "  listen " + listen + " ssl;\n";
  }
  text += "  server_name";
  for (std::string const& name : item.names) {
    text += " " + name;
  }
  std::string const live = settings.directory + "/" + item.id + "/live/";
  text += ";\n  ssl_certificate " + quoted(live + "fullchain.pem") + ";\n";
  text += "  ssl_certificate_key " + quoted(live + "privkey.pem") + ";\n";
  if (!settings.tenant_include.empty()) {
    std::string const file = replaced(replaced(settings.tenant_include, "{tenant}", item.tenant), "{id}", item.id);
    text += "  include " + quoted(file) + ";\n";
  }
  return text + "}\n";
}

}  // namespace

std::string render_nginx(std::vector<BundleItem> bundles, NginxSettings const& settings) {
  bundles = each_name_once(std::move(bundles));
  std::string text = "# Written by privateer from Navigator's bundles; changes are overwritten.\n";
  if (settings.names_hash_bucket > 0) {
    text += "server_names_hash_bucket_size " + std::to_string(settings.names_hash_bucket) + ";\n";
  }
  for (BundleItem const& item : bundles) {
    text += render_server(item, settings);
  }
  return text;
}

}  // namespace edge
