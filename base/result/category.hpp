// The base of every module's error category: a name and a table of sentences.
//
//   boost::system::error_code make_error_code(errc code) {
//     static base::Category const category("feed", [](int) { return "not a change feed message"; });
//     return {static_cast<int>(code), category};
//   }
//
// Threads: immutable after construction; any thread.
#pragma once

#include <boost/system/error_category.hpp>

#include <string>

namespace base {

// Boost's base class has a protected, non-virtual destructor on purpose: a category is never deleted through it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class Category final : public boost::system::error_category {
 public:
  using Message = char const* (*)(int code);
  Category(char const* category_name, Message sentence) : name_(category_name), message_(sentence) {}
  [[nodiscard]] char const* name() const noexcept override { return name_; }
  [[nodiscard]] std::string message(int code) const override { return message_(code); }

 private:
  char const* name_;
  Message message_;
};
#pragma GCC diagnostic pop

}  // namespace base
