# Flags and third-party targets that every layer shares, and the two functions that declare a layer and its tests.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
if(KEEL_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

add_library(keel_flags INTERFACE)
target_include_directories(keel_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(keel_flags INTERFACE
  -march=x86-64-v2 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast
  -Wimplicit-fallthrough -Werror
  # g++ 12 reports -Wrestrict inside std::string operator+ at -O2 (GCC bug 105651).
  # The same for -Wstringop-overread in comparisons of std::vector<uint8_t>.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overread>)
target_compile_definitions(keel_flags INTERFACE
  # clang needs to be told that its coroutines are complete; Asio 1.74 asks these two.
  $<$<CXX_COMPILER_ID:Clang>:BOOST_ASIO_HAS_CO_AWAIT=1>
  $<$<CXX_COMPILER_ID:Clang>:BOOST_ASIO_HAS_STD_COROUTINE=1>
  $<$<BOOL:${KEEL_SLOW_ASSERT}>:KEEL_SLOW_ASSERT=1>
  $<$<BOOL:${KEEL_VIEW_GUARD}>:KEEL_VIEW_GUARD=1>)
if(KEEL_SANITIZE)
  target_compile_options(keel_flags INTERFACE -fsanitize=${KEEL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(keel_flags INTERFACE -fsanitize=${KEEL_SANITIZE})
endif()
if(KEEL_LTO)
  include(CheckIPOSupported)
  check_ipo_supported()
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
endif()

# keel_layer(NAME SOURCES ... LINK ...): the static library keel::NAME. LINK repeats the layer rules of docs/architecture.md,
# so that a wrong include fails to link too.
function(keel_layer name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_library(keel_${name} STATIC ${arg_SOURCES})
  add_library(keel::${name} ALIAS keel_${name})
  set_target_properties(keel_${name} PROPERTIES EXPORT_NAME ${name})
  target_link_libraries(keel_${name} PUBLIC $<BUILD_INTERFACE:keel_flags> ${arg_LINK})
endfunction()

# keel_layer_test(NAME SOURCES ... LINK ...): keel_NAME_test, discovered by ctest.
function(keel_layer_test name)
  if(NOT KEEL_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_executable(keel_${name}_test ${arg_SOURCES})
  target_link_libraries(keel_${name}_test PRIVATE keel_flags ${arg_LINK} GTest::gmock GTest::gtest_main)
  target_compile_definitions(keel_${name}_test PRIVATE KEEL_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  gtest_discover_tests(keel_${name}_test DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 600 LABELS ${name})
endfunction()
