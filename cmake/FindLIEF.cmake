# SPDX-License-Identifier: MIT
#
# Defines LIEF::LIEF. Later releases bring a CMake package, which is taken where LIEF_DIR or
# CMAKE_PREFIX_PATH leads to one. LIEF 0.9 as Debian packages it has headers and libraries only:
# there the static library comes first, so that the command needs no LIEF at run time; it wants Mbed
# TLS's archives, and without those the shared library serves.

include(FindPackageHandleStandardArgs)

find_package(LIEF CONFIG QUIET)
if(TARGET LIEF::LIEF)
  find_package_handle_standard_args(LIEF CONFIG_MODE)
  return()
endif()

find_path(LIEF_INCLUDE_DIR LIEF/ELF.hpp)
find_library(LIEF_STATIC_LIBRARY libLIEF.a)
find_library(LIEF_SHARED_LIBRARY libLIEF.so)
find_library(LIEF_MBEDX509_LIBRARY libmbedx509.a)
find_library(LIEF_MBEDCRYPTO_LIBRARY libmbedcrypto.a)
mark_as_advanced(LIEF_INCLUDE_DIR LIEF_STATIC_LIBRARY LIEF_SHARED_LIBRARY LIEF_MBEDX509_LIBRARY
                 LIEF_MBEDCRYPTO_LIBRARY)

if(LIEF_STATIC_LIBRARY AND LIEF_MBEDX509_LIBRARY AND LIEF_MBEDCRYPTO_LIBRARY)
  set(LIEF_LIBRARY "${LIEF_STATIC_LIBRARY}")
  set(LIEF_DEPENDENCIES "${LIEF_MBEDX509_LIBRARY}" "${LIEF_MBEDCRYPTO_LIBRARY}")
else()
  set(LIEF_LIBRARY "${LIEF_SHARED_LIBRARY}")
  set(LIEF_DEPENDENCIES "")
endif()

find_package_handle_standard_args(LIEF REQUIRED_VARS LIEF_LIBRARY LIEF_INCLUDE_DIR
  REASON_FAILURE_MESSAGE
    "install liblief-dev and libmbedtls-dev, or set LIEF_DIR to the folder of LIEFConfig.cmake")

if(LIEF_FOUND AND NOT TARGET LIEF::LIEF)
  add_library(LIEF::LIEF UNKNOWN IMPORTED)
  set_target_properties(LIEF::LIEF PROPERTIES
    IMPORTED_LOCATION "${LIEF_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${LIEF_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "${LIEF_DEPENDENCIES}")
endif()
