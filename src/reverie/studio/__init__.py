"""All of Reverie in a page on this machine: jobs and who does them, the server, the pages."""
