#include "acme/edge/client/bundle.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <set>

namespace edge {
namespace {

namespace json = boost::json;

constexpr std::size_t body_max = 16U << 20U;
constexpr std::size_t bundles_max = 10000;
constexpr std::size_t names_max = 100;
constexpr std::size_t pem_max = 256U << 10U;

bool made_of(std::string_view text, std::string_view extra) {
  return std::ranges::all_of(text, [extra](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || extra.find(c) != std::string_view::npos;
  });
}

bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= 64 && text.front() != '-' && made_of(text, "-");
}

bool is_host(std::string_view text) {
  if (text.starts_with("*.")) {
    text.remove_prefix(2);
  }
  return !text.empty() && text.size() <= 251 && made_of(text, "-_.") && text.front() != '.' && text.back() != '.' &&
         text.find("..") == std::string_view::npos;
}

// PEM armour and nothing that could end a line early or hide another file's content.
bool is_pem(std::string_view text) {
  return text.starts_with("-----BEGIN ") && text.size() <= pem_max &&
         std::ranges::all_of(text, [](char c) { return c == '\n' || c == '\r' || (c >= ' ' && c < '\x7f'); });
}

// Collects what is wrong under a key path.
class Reader {
 public:
  Reader(json::object const& object, std::string path, base::Problems& problems)
      : object_(object), path_(std::move(path)), problems_(problems) {}

  std::string text(char const* key, bool (*good)(std::string_view), char const* expected) {
    json::value const* const value = object_.if_contains(key);
    std::string result;
    if (value != nullptr && value->is_string()) {
      result.assign(value->as_string().begin(), value->as_string().end());
    }
    if (value == nullptr || !value->is_string() || !good(result)) {
      add(key, expected);
      result.clear();
    }
    return result;
  }

  std::int64_t positive(char const* key) {
    json::value const* const value = object_.if_contains(key);
    if (value == nullptr || !value->is_int64() || value->as_int64() <= 0) {
      add(key, "is not a positive number");
      return 0;
    }
    return value->as_int64();
  }

  [[nodiscard]] bool has(char const* key) const { return object_.contains(key); }

  bool flag(char const* key) {
    json::value const* const value = object_.if_contains(key);
    if (value == nullptr || !value->is_bool()) {
      add(key, "is neither true nor false");
      return false;
    }
    return value->as_bool();
  }

  json::array const* list(char const* key, std::size_t limit) {
    json::value const* const value = object_.if_contains(key);
    if (value == nullptr || !value->is_array() || value->as_array().size() > limit) {
      add(key, "is not a list of at most " + std::to_string(limit));
      return nullptr;
    }
    return &value->as_array();
  }

  void add(std::string const& key, std::string message) {
    problems_.push_back(
        {{"Navigator's answer", 0, 0}, path_.empty() ? key : path_ + "." + key, std::move(message), {}});
  }

 private:
  json::object const& object_;
  std::string path_;
  base::Problems& problems_;
};

std::vector<std::string> read_names(Reader& reader) {
  std::vector<std::string> names;
  json::array const* const list = reader.list("names", names_max);
  if (list == nullptr) {
    return names;
  }
  for (json::value const& value : *list) {
    if (value.is_string() && is_host({value.as_string().data(), value.as_string().size()})) {
      names.emplace_back(value.as_string().begin(), value.as_string().end());
    } else {
      reader.add("names", "holds something that is no host name");
    }
  }
  if (list->empty()) {
    reader.add("names", "is empty");
  }
  return names;
}

BundleItem read_item(json::object const& object, std::string const& path, base::Problems& problems) {
  Reader reader(object, path, problems);
  BundleItem item;
  item.id = reader.text("id", is_id, "is not an id of [a-z0-9-]");
  item.tenant = reader.text("tenant", is_id, "is not a DNS label");
  item.names = read_names(reader);
  item.fingerprint = reader.text(
      "fingerprint",
      [](std::string_view text) {
        return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
      },
      "is not a SHA-256 in lower-case hex");
  item.sequence = reader.positive("sequence");
  item.leaving = reader.has("leaving") && reader.flag("leaving");
  return item;
}

boost::system::result<json::object, base::Problems> parse_object(std::string_view body) {
  json::parse_options options;
  options.max_depth = 8;
  boost::system::error_code error;
  json::value value;
  if (body.size() <= body_max) {
    value = json::parse({body.data(), body.size()}, error, {}, options);
  }
  if (error || !value.is_object()) {
    return base::Problems{{{"Navigator's answer", 0, 0}, {}, "is not a JSON object of at most 16 MiB", {}}};
  }
  return std::move(value.as_object());
}

}  // namespace

namespace {

// What older Navigators do not say: then it is the whole list.
void read_change(Reader& reader, BundleList& list) {
  list.complete = !reader.has("complete") || reader.flag("complete");
  list.next = reader.has("next") ? reader.positive("next") : 0;
  json::array const* const gone = reader.has("gone") ? reader.list("gone", bundles_max) : nullptr;
  if (gone == nullptr) {
    return;
  }
  for (json::value const& value : *gone) {
    if (value.is_string() && is_id({value.as_string().data(), value.as_string().size()})) {
      list.gone.emplace_back(value.as_string().begin(), value.as_string().end());
    } else {
      reader.add("gone", "holds something that is no id");
    }
  }
}

}  // namespace

boost::system::result<BundleList, base::Problems> parse_list(std::string_view body) {
  auto const object = parse_object(body);
  if (!object) {
    return object.error();
  }
  base::Problems problems;
  Reader reader(*object, {}, problems);
  BundleList list;
  list.sequence = reader.positive("sequence");
  read_change(reader, list);
  std::set<std::string> ids;
  if (json::array const* const items = reader.list("bundles", bundles_max)) {
    for (std::size_t i = 0; i < items->size(); ++i) {
      std::string const path = "bundles[" + std::to_string(i) + "]";
      if (!(*items)[i].is_object()) {
        reader.add(path, "is not an object");
        continue;
      }
      list.bundles.push_back(read_item((*items)[i].as_object(), path, problems));
      if (!ids.insert(list.bundles.back().id).second) {
        reader.add(path + ".id", "is there twice");
      }
    }
  }
  if (!problems.empty()) {
    return problems;
  }
  return list;
}

boost::system::result<Bundle, base::Problems> parse_bundle(std::string_view body) {
  auto const object = parse_object(body);
  if (!object) {
    return object.error();
  }
  base::Problems problems;
  Reader reader(*object, {}, problems);
  Bundle bundle;
  bundle.item = read_item(*object, {}, problems);
  bundle.chain_pem = reader.text("chain_pem", is_pem, "is not a PEM text");
  bundle.key_pem = reader.text("key_pem", is_pem, "is not a PEM text");
  if (!problems.empty()) {
    return problems;
  }
  return bundle;
}

std::string to_json(BundleItem const& item) {
  json::object object;
  object["id"] = item.id;
  object["tenant"] = item.tenant;
  object["names"] = json::value_from(item.names);
  object["fingerprint"] = item.fingerprint;
  object["sequence"] = item.sequence;
  return json::serialize(object) + "\n";
}

boost::system::result<BundleItem, base::Problems> parse_item(std::string_view body) {
  auto const object = parse_object(body);
  if (!object) {
    return object.error();
  }
  base::Problems problems;
  BundleItem item = read_item(*object, {}, problems);
  if (!problems.empty()) {
    return problems;
  }
  return item;
}

std::string probe_name(BundleItem const& item) {
  for (std::string const& name : item.names) {
    if (!name.starts_with("*.")) {
      return name;
    }
  }
  return item.names.empty() ? std::string() : "probe" + item.names.front().substr(1);
}

}  // namespace edge
