"""What `heddle new` writes: a project from a template, a step with its configuration and test."""
