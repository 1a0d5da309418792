# One interface target that every module links: language, warnings, hardening, sanitizers.
add_library(project_options INTERFACE)
target_compile_features(project_options INTERFACE cxx_std_20)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
# One kind of code for libraries and programs alike, since precompiled headers belong to one kind.
set(CMAKE_CXX_COMPILE_OPTIONS_PIE ${CMAKE_CXX_COMPILE_OPTIONS_PIC})

# -Wnull-dereference stays out: with g++ 12 it reports inside Boost.Asio at -O2.
target_compile_options(project_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor
  -Woverloaded-virtual -Wformat=2 -Wduplicated-cond -Wlogical-op
  $<$<CONFIG:Debug>:-Werror>)
target_compile_definitions(project_options INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
  BOOST_JSON_DYN_LINK BOOST_JSON_NO_LIB BOOST_CONTAINER_DYN_LINK BOOST_CONTAINER_NO_LIB
  SOVEREIGN_VERSION="${PROJECT_VERSION}")

if(CMAKE_BUILD_TYPE STREQUAL "Release")
  # -O3 costs a sixth of the build more and the lookup path, which waits for memory and system calls, gains nothing.
  string(REPLACE "-O3" "-O2" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")
  # Warnings are errors in the presets that test. At -O2 g++ 12 warns of overlaps, bounds and uninitialised strings inside
  # libstdc++ that are not there (GCC bugs 105329, 105562, 105651), so these four are off here and on everywhere else.
  target_compile_options(project_options INTERFACE -Wno-restrict -Wno-maybe-uninitialized -Wno-array-bounds
    -Wno-stringop-overflow)
  target_compile_options(project_options INTERFACE -fstack-protector-strong -fstack-clash-protection -fcf-protection)
  target_compile_definitions(project_options INTERFACE _FORTIFY_SOURCE=2 _GLIBCXX_ASSERTIONS)
  target_link_options(project_options INTERFACE -Wl,-z,relro,-z,now)
else()
  # Line numbers are enough for a sanitizer's report, and full debug information doubles the time of a build.
  string(REPLACE "-g" "-g1" CMAKE_CXX_FLAGS_DEBUG "${CMAKE_CXX_FLAGS_DEBUG}")
endif()

if(SOVEREIGN_SANITIZE)
  target_compile_options(project_options INTERFACE -fsanitize=${SOVEREIGN_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  target_link_options(project_options INTERFACE -fsanitize=${SOVEREIGN_SANITIZE})
endif()

find_program(CCACHE ccache)
if(CCACHE)
  # Without these two ccache takes no source that reads precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
  set(CMAKE_PCH_INSTANTIATE_TEMPLATES OFF)
  target_compile_options(project_options INTERFACE -fpch-preprocess)
endif()
find_program(MOLD mold)
if(MOLD)
  target_link_options(project_options INTERFACE -fuse-ld=mold)
endif()
