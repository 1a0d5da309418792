#include "acme/edge/client/errc.hpp"

namespace edge {
namespace {

// Boost's category has no virtual destructor; this one is static and never deleted.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class Category final : public boost::system::error_category {
 public:
  [[nodiscard]] char const* name() const noexcept override { return "acme.edge"; }
  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::bad_bundle:
        return "unusable bundle";
      case errc::refused:
        return "refused by Navigator";
      case errc::bad_directory:
        return "unexpected content of the bundle directory";
      case errc::reload_failed:
        return "the reload hook failed";
      case errc::stale:
        return "not the bundle's present certificate";
      case errc::not_served:
        return "not served";
    }
    return "unknown";
  }
};
#pragma GCC diagnostic pop

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static Category const category;
  return {static_cast<int>(code), category};
}

}  // namespace edge
