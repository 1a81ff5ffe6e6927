package batches

import "strings"

func first(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

// listed writes names as a sentence does, cut short where there are many.
func listed(names []string) string {
	const most = 8
	if len(names) == 0 {
		return "none"
	}
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}
