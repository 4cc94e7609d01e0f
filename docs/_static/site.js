// Search shows the text around a match by fetching the page, which browsers refuse for files.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
