#include "acme/edge/install.hpp"

#include "base/process/service.hpp"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <string_view>

namespace edge {
namespace {

namespace fs = std::filesystem;

base::Failure trouble(std::error_code const& code, std::string doing) {
  return base::fail(errc::bad_directory, std::move(doing) + ": " + code.message());
}

bool is_fingerprint(std::string const& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::optional<BundleItem> read_version(fs::path const& version, std::string const& id, bool combined) {
  auto const text = process::read_file((version / "bundle.json").string(), 1U << 20U);
  if (!text) {
    return std::nullopt;
  }
  auto item = parse_item(*text);
  std::error_code error;
  bool const complete = item && item->id == id && fs::exists(version / "fullchain.pem", error) &&
                        fs::exists(version / "privkey.pem", error) &&
                        (!combined || fs::exists(version / "haproxy.pem", error));
  return complete ? std::optional(std::move(*item)) : std::nullopt;
}

}  // namespace

base::Result<std::vector<BundleItem>> Installation::observe() const {
  std::error_code error;
  fs::create_directories(directory_, error);
  std::vector<BundleItem> items;
  fs::directory_iterator entries(directory_, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    std::string const id = entries->path().filename().string();
    if (auto const fingerprint = live(id)) {
      if (auto item = read_version(entries->path() / *fingerprint, id, files_.combined)) {
        items.push_back(std::move(*item));
      }
    }
  }
  if (error) {
    return trouble(error, "cannot read " + directory_);
  }
  std::ranges::sort(items, {}, &BundleItem::id);
  return items;
}

base::Result<std::vector<std::string>> Installation::folders() const {
  std::error_code error;
  std::vector<std::string> ids;
  fs::directory_iterator entries(directory_, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    std::string id = entries->path().filename().string();
    if (has_folder(id)) {
      ids.push_back(std::move(id));
    }
  }
  if (error) {
    return trouble(error, "cannot read " + directory_);
  }
  std::ranges::sort(ids);
  return ids;
}

// Navigator's ids are "tenant-7" and "tenant-7-11": whatever else is there is somebody else's.
bool Installation::has_folder(std::string const& id) const {
  constexpr std::string_view head = "tenant-";
  std::error_code error;
  return id.starts_with(head) && id.size() > head.size() &&
         id.find_first_not_of("0123456789-", head.size()) == std::string::npos &&
         fs::symlink_status(fs::path(directory_) / id, error).type() == fs::file_type::directory;
}

// Nobody but the owner may read it before it has its group.
base::Result<void> Installation::write_key_file(std::string const& path, std::string const& text) const {
  auto const written = process::write_file_atomically(path, text, 0600);
  if (!written || files_.group.empty()) {
    return written;
  }
  errno = 0;
  group const* const found = getgrnam(files_.group.c_str());
  if (found == nullptr) {
    return base::fail(errc::bad_directory, "there is no group '" + files_.group + "' on this machine");
  }
  if (chown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid) != 0 || chmod(path.c_str(), 0640) != 0) {
    return base::fail_errno(errno, "cannot give " + path + " to group " + files_.group);
  }
  return {};
}

base::Result<void> Installation::stage(Bundle const& bundle) const {
  fs::path const version = fs::path(directory_) / bundle.item.id / bundle.item.fingerprint;
  std::error_code error;
  fs::create_directories(version, error);
  if (error) {
    return trouble(error, "cannot make " + version.string());
  }
  auto const chain = process::write_file_atomically((version / "fullchain.pem").string(), bundle.chain_pem, 0644);
  if (!chain) {
    return chain;
  }
  auto const key = write_key_file((version / "privkey.pem").string(), bundle.key_pem);
  if (!key) {
    return key;
  }
  if (files_.combined) {
    auto const both = write_key_file((version / "haproxy.pem").string(), bundle.chain_pem + bundle.key_pem);
    if (!both) {
      return both;
    }
  }
  return process::write_file_atomically((version / "bundle.json").string(), to_json(bundle.item), 0644);
}

std::optional<std::string> Installation::live(std::string const& id) const {
  std::error_code error;
  std::string const target = fs::read_symlink(fs::path(directory_) / id / "live", error).string();
  return !error && is_fingerprint(target) ? std::optional(target) : std::nullopt;
}

base::Result<void> Installation::make_live(std::string const& id, std::optional<std::string> const& fingerprint) const {
  fs::path const link = fs::path(directory_) / id / "live";
  fs::path const fresh = fs::path(directory_) / id / "live.new";
  std::error_code error;
  if (!fingerprint) {
    fs::remove(link, error);
    return error ? base::Result<void>(trouble(error, "cannot remove " + link.string())) : base::Result<void>();
  }
  fs::remove(fresh, error);
  if (symlink(fingerprint->c_str(), fresh.c_str()) != 0) {
    return base::fail_errno(errno, "cannot make " + fresh.string());
  }
  fs::rename(fresh, link, error);
  return error ? base::Result<void>(trouble(error, "cannot replace " + link.string())) : base::Result<void>();
}

base::Result<void> Installation::remove(std::string const& id) const {
  // The link goes first: a removal that is interrupted leaves nothing that looks installed.
  auto const unlinked = make_live(id, std::nullopt);
  if (!unlinked) {
    return unlinked;
  }
  std::error_code error;
  fs::remove_all(fs::path(directory_) / id, error);
  return error ? base::Result<void>(trouble(error, "cannot remove bundle " + id)) : base::Result<void>();
}

base::Result<void> Installation::prune(std::string const& id) const {
  auto const kept = live(id);
  std::error_code error;
  std::vector<fs::path> former;
  fs::directory_iterator entries(fs::path(directory_) / id, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    std::string const version = entries->path().filename().string();
    if (is_fingerprint(version) && version != kept) {
      former.push_back(entries->path());
    }
  }
  for (fs::path const& version : former) {
    fs::remove_all(version, error);
  }
  return error ? base::Result<void>(trouble(error, "cannot prune bundle " + id)) : base::Result<void>();
}

Difference difference(std::vector<BundleItem> const& wanted, std::vector<BundleItem> const& observed) {
  Difference result;
  std::map<std::string_view, BundleItem const*> present;
  for (BundleItem const& item : observed) {
    present.emplace(item.id, &item);
  }
  for (BundleItem const& item : wanted) {
    auto const found = present.find(item.id);
    if (found == present.end() || *found->second != item) {
      result.fetch.push_back(item);
    }
    if (found != present.end()) {
      present.erase(found);
    }
  }
  for (auto const& [id, item] : present) {
    result.remove.emplace_back(id);
  }
  return result;
}

}  // namespace edge
